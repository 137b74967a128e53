#include "checkers/core/rehearsal.hpp"

#include "checkers/core/identity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace holdfast::checkers {
namespace {

/// A probe that finds what it found last takes this long.
constexpr core::Duration kAnswerTime = std::chrono::milliseconds(1);

std::string subject_of(const ipvs::Step& step) {
  const std::string service = ipvs::to_string(ipvs::key_of(step));
  return std::visit(
      [&](const auto& one) {
        if constexpr (requires { one.endpoint; }) {
          return fmt::format("{}: server {}", service, one.endpoint.to_string());
        } else {
          return service;
        }
      },
      step);
}

ipvs::Table only(const ipvs::Table& table, const std::vector<ipvs::ServiceKey>& keys) {
  ipvs::Table some;
  for (const ipvs::ServiceKey& key : keys)
    if (const auto found = table.services.find(key); found != table.services.end())
      some.services.insert(*found);
  return some;
}

ipvs::ServiceList list_of(const ipvs::Table& table) {
  ipvs::ServiceList list;
  for (const auto& [key, service] : table.services) list.services[key] = service.settings;
  return list;
}

}  // namespace

Rehearsal::Rehearsal(CheckersCopy copy)
    : engine_(std::move(copy.engine)),
      reconciler_(std::move(copy.reconciler)),
      began_at_(copy.now),
      now_(copy.now),
      kernel_(reconciler_.actual()),
      table_error_(reconciler_.error()),
      is_wanted_(std::move(copy.is_wanted)) {
  for (const ProbeId probe : engine_.under_way()) begin_probe(probe);
  // What it waits for comes now: what it does about that is no consequence of what is rehearsed.
  if (const auto awaited = reconciler_.under_way())
    if (const auto answer = answer_to(*awaited)) step_table(*answer);
  deeds_.clear();
}

void Rehearsal::reload(Settings settings) {
  step(Configure{std::move(settings), {}});
  flush_table();
}

Rehearsal::Supposed Rehearsal::suppose(const core::Endpoint& server, Result result) {
  auto supposed = Supposed::no_such_server;
  for (std::size_t i = 0; i < engine_.services().size(); ++i) {
    for (std::size_t j = 0; j < engine_.services()[i].servers.size(); ++j) {
      if (engine_.settings().services[i].servers[j].endpoint != server) continue;
      if (supposed == Supposed::no_such_server) supposed = Supposed::no_check;
      for (const CheckState& check : engine_.services()[i].servers[j].checks) {
        supposed = Supposed::yes;
        supposed_[check.probe] = result;
        if (finishing_.contains(check.probe)) begin_probe(check.probe);
      }
    }
  }
  return supposed;
}

void Rehearsal::run(core::Duration time) {
  const core::Instant end = now_ + time;
  while (!ended_early()) {
    std::optional<core::Instant> next = engine_.deadline();
    const auto earlier = [&](const std::optional<core::Instant>& at) {
      if (at && (!next || *at < *next)) next = at;
    };
    earlier(reconciler_.deadline());
    auto first = finishing_.end();
    for (auto at = finishing_.begin(); at != finishing_.end(); ++at)
      if (first == finishing_.end() || at->second.at < first->second.at) first = at;
    if (first != finishing_.end()) earlier(first->second.at);
    if (!next || *next > end) break;
    now_ = std::max(now_, *next);
    if (first != finishing_.end() && first->second.at <= now_) {
      const ProbeFinished finished{first->first, std::move(first->second.outcome)};
      finishing_.erase(first);
      step(finished);
    }
    if (engine_.deadline() && *engine_.deadline() <= now_) step(Tick{});
    if (reconciler_.deadline() && *reconciler_.deadline() <= now_) step_table(table_event::Tick{});
    flush_table();
  }
  now_ = end;
}

// ---- the engine ----

void Rehearsal::step(const Event& event) {
  ++steps_;
  Actions actions;
  engine_.step(event, now_, actions);
  for (const Action& action : actions) std::visit([this](const auto& one) { act(one); }, action);
}

void Rehearsal::act(const StartProbe& start) {
  begin_probe(start.probe);
}

void Rehearsal::act(const StopProbe& stop) {
  finishing_.erase(stop.probe);
}

void Rehearsal::begin_probe(ProbeId id) {
  const ProbeSettings& probe = engine_.probe_settings(id);
  const auto supposed = supposed_.find(id);
  Finishing finishing{now_ + kAnswerTime, passed("as supposed")};
  if (supposed != supposed_.end()) {
    if (supposed->second == Result::failed) {
      finishing.at = now_ + probe.timeout;
      finishing.outcome = failed(Cause::timeout, "no answer");
    }
  } else if (const auto& last = engine_.last_run(id)) {
    finishing.outcome = last->outcome;
  }
  finishing_.insert_or_assign(id, std::move(finishing));
}

void Rehearsal::act(const ServerChanged& changed) {
  const ServiceSettings& service = engine_.settings().services[changed.service];
  keep(subject_of(service, service.servers[changed.server].endpoint),
       ServerDeed{changed.up, changed.why});
}

void Rehearsal::act(const QuorumChanged& changed) {
  keep(name_of(engine_.settings().services[changed.service]),
       QuorumDeed{changed.up, changed.weight});
}

void Rehearsal::act(const TableChanged& changed) {
  changed_.insert(changed.service);
}

void Rehearsal::act(const Notify& notify) {
  const ServiceSettings& service = engine_.settings().services[notify.service];
  keep(notify.server ? subject_of(service, service.servers[*notify.server].endpoint)
                     : name_of(service),
       ScriptDeed{notify.kind, notify.script});
}

// ---- the table ----

void Rehearsal::flush_table() {
  if (changed_.empty()) return;
  const std::vector<ipvs::ServiceKey> keys(changed_.begin(), changed_.end());
  changed_.clear();
  step_table(table_event::DesiredChanged{keys});
}

void Rehearsal::step_table(const TableEvent& event) {
  std::deque<TableEvent> events{event};
  while (!events.empty() && !ended_early()) {
    ++steps_;
    TableActions actions;
    reconciler_.step(events.front(), engine_.desired(), now_, actions);
    events.pop_front();
    for (const TableAction& action : actions)
      if (auto answer = answer_to(action)) events.push_back(std::move(*answer));
  }
}

std::optional<TableEvent> Rehearsal::answer_to(const TableAction& action) {
  if (std::holds_alternative<table_action::Open>(action)) {
    if (table_error_) return table_event::OpenFailed{*table_error_};
    return table_event::Opened{};
  }
  if (std::holds_alternative<table_action::Read>(action)) return table_event::WasRead{kernel_};
  if (const auto* some = std::get_if<table_action::ReadServices>(&action))
    return table_event::ServicesWereRead{some->keys, only(kernel_, some->keys), {}};
  if (std::holds_alternative<table_action::ListServices>(action))
    return table_event::WasListed{list_of(kernel_)};
  if (const auto* apply = std::get_if<table_action::Apply>(&action)) return applied(*apply);
  return std::nullopt;
}

TableEvent Rehearsal::applied(const table_action::Apply& apply) {
  kernel_ = ipvs::apply(apply.steps, std::move(kernel_));
  for (const ipvs::Step& one : apply.steps) keep(subject_of(one), one);
  return table_event::Applied{};
}

void Rehearsal::keep(std::string subject, decltype(Deed::what) what) {
  if (deeds_.size() < kMostDeeds) {
    deeds_.push_back({now_, std::move(subject), std::move(what)});
  } else {
    ++left_off_;
  }
}

}  // namespace holdfast::checkers
