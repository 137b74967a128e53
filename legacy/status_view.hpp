// What the dumps of keepalived tell of an instance: its lines of the configuration beside what the
// VRRP process says of it. Made by the process that writes dumps; asks nobody itself.
#pragma once

#include "config/model.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::legacy {

/// As keepalived numbers them in its dumps, SNMP and D-Bus.
/// `deleted` and `stop` on D-Bus only.
enum class State : std::uint8_t {
  init = 0,
  backup = 1,
  master = 2,
  fault = 3,
  deleted = 97,
  stop = 98
};

[[nodiscard]] const char* to_string(State state);  ///< "INIT", "BACKUP", "MASTER", "FAULT", …
[[nodiscard]] State state_named(std::string_view word);

/// Names of keepalived. What it counts under one name may be several reasons of ours.
struct Statistics {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t became_master = 0;
  std::uint64_t released_master = 0;
  std::uint64_t packet_length = 0;
  std::uint64_t ttl = 0;
  std::uint64_t invalid_type = 0;
  std::uint64_t interval = 0;
  std::uint64_t address_list = 0;
  std::uint64_t invalid_authentication_type = 0;
  std::uint64_t authentication_type_mismatch = 0;
  std::uint64_t authentication_failure = 0;
  std::uint64_t extension_missing = 0;
  std::uint64_t extension_malformed = 0;
  std::uint64_t extension_unknown_key = 0;
  std::uint64_t extension_invalid = 0;
  std::uint64_t extension_stale = 0;
  std::uint64_t extension_replay = 0;
  std::uint64_t priority_zero_received = 0;
  std::uint64_t priority_zero_sent = 0;
};

/// An instance of the configuration. One that is not started is INIT and has counted nothing.
struct InstanceFacts {
  const config::VrrpInstance* settings = nullptr;
  State state = State::init;
  /// Of the last change of its state, µs since 1970; 0: none yet.
  std::int64_t since = 0;
  std::uint32_t effective_priority = 0;
  std::string sync_group;
  std::string device;                 ///< its virtual MAC interface
  std::string master_address;         ///< while another one is master and was heard
  std::uint32_t master_priority = 0;  ///< the same
  std::int64_t master_interval = 0;   ///< µs: of the master heard, its own otherwise
  std::vector<std::string> held;      ///< "ADDRESS/LENGTH INTERFACE" of what is in place
  std::vector<std::string> bad;       ///< "kind name" of what it tracks and is bad
  std::vector<std::string> good;      ///< the same, good
  Statistics statistics;

  [[nodiscard]] bool holds(const config::VirtualAddress& address) const;
};

/// All instances of the configuration, in its order; `status` is the document of the VRRP process.
[[nodiscard]] std::vector<InstanceFacts> facts_of(const config::Model& model,
                                                  const boost::json::object& status);

// Members of a document that may be missing or of another type: then nothing of it.
[[nodiscard]] std::int64_t number_in(const boost::json::object& object, std::string_view name);
[[nodiscard]] std::string_view text_in(const boost::json::object& object, std::string_view name);
[[nodiscard]] bool flag_in(const boost::json::object& object, std::string_view name);

}  // namespace holdfast::legacy
