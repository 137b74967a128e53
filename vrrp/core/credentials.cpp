// Instance: how its adverts prove where they come from (keepalived's AH and auth_hmac), and what it
// has to remember for that.
#include "vrrp/core/ah.hpp"
#include "vrrp/core/instance.hpp"
#include "vrrp/core/trailer.hpp"

namespace holdfast::vrrp {

ProofContext Instance::proof_context(Instant now) const {
  return {.memory = proofs_ ? &*proofs_ : nullptr, .utc = now.time_since_epoch() + utc_ahead_};
}

// A master counts on from what it heard: receivers take higher numbers only, whoever sends them.
Instance::Credentials Instance::next_credentials(Instant now) const {
  Credentials next{.identification = static_cast<std::uint16_t>(identification_ + 1),
                   .ah_sequence = 0,
                   .stamp = 0};
  // raw(7): the kernel writes another one over 0, which the proof of AH would not cover.
  if (next.identification == 0) next.identification = 1;
  if (settings_.has_header()) {
    const std::uint32_t used = proofs_ ? proofs_->ah_sequence : 0;
    next.ah_sequence = number_after(is_after(offered_number_, used) ? offered_number_ : used);
  }
  if (settings_.signs())
    next.stamp =
        next_stamp(*settings_.signing, proofs_ ? proofs_->sent : 0, proof_context(now).utc);
  return next;
}

void Instance::use_up(const Credentials& credentials) {
  identification_ = credentials.identification;
  offered_number_ = credentials.ah_sequence;
  if (settings_.signs()) proofs_.ensure().sent = credentials.stamp;
}

// A number that never left is free: a master whose adverts are refused would otherwise count ahead
// of everybody, and take the adverts of whoever serves meanwhile for old ones.
void Instance::note_number_left() {
  const std::uint32_t number = std::exchange(offered_number_, 0);
  if (number == 0 || !settings_.has_header()) return;
  std::uint32_t& used = proofs_.ensure().ah_sequence;
  if (is_after(number, used)) used = number;
}

void Instance::authenticate(Letter& letter, const IpAddress& source,
                            const Credentials& credentials) const {
  if (settings_.signs()) {
    const SigningKey* key = settings_.signing->key(settings_.signing->active_key);
    append_trailer(letter.payload, {settings_.version, source, letter.destination}, *key,
                   credentials.stamp);
  } else if (settings_.has_header()) {
    put_ah(letter.payload, credentials.ah_sequence,
           {.source = source,
            .destination = letter.destination,
            .identification = credentials.identification,
            .ttl = 255},
           settings_.authentication.data);
  }
}

// The page holds what was heard at once: who restarts must not take old adverts for new ones.
void Instance::note_proof_of(const AdvertReceived& event, Actions& out) {
  if (event.proof == Proof{}) return;
  note_proof(proofs_.ensure(), event.source, event.proof);
  remember(out);
}

// What a living one has heard meanwhile counts more.
void Instance::on(const RecallProofs& event, Instant, Actions&) {
  if (!proofs_) proofs_ = event.memory;
  forget_needless_proofs();
}

void Instance::on(const ClockTold& event, Instant, Actions&) {
  utc_ahead_ = event.utc_ahead;
}

// An owner that speaks at once with a number that is long used is not heard: the backup takes over,
// and there are two masters. It listens first, as everybody else.
bool Instance::must_hear_a_number_first() const {
  return settings_.has_header() && (!proofs_ || proofs_->ah_sequence == 0);
}

// Also when a reload has changed what is asked for: the old numbers say nothing then.
void Instance::forget_needless_proofs() {
  if (!proofs_) return;
  if (!settings_.has_header()) proofs_->ah_sequence = 0;
  if (!settings_.signing) {
    proofs_->sent = 0;
    proofs_->peers.clear();
  }
  if (*proofs_ == ProofMemory{}) proofs_.reset();
}

}  // namespace holdfast::vrrp
