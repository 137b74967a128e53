#include "tests/unit/ipvs_wrapper/fake_kernel.hpp"

#include "core/assertion.hpp"
#include "ipvs_wrapper/codec.hpp"

#include <cerrno>
#include <cstring>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>

namespace holdfast::ipvs::test {
namespace {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

nlmsghdr header_of(View message) {
  nlmsghdr header;
  std::memcpy(&header, message.data(), sizeof header);
  return header;
}

std::uint8_t command_of(View message) {
  return message[NLMSG_HDRLEN];
}

// Requests and replies use the same nests, so a request is read as the reply with the right command
// number.
template <class Body>
std::optional<Body> read_as(View message, std::uint8_t command) {
  Bytes copy(message.begin(), message.end());
  copy[NLMSG_HDRLEN] = command;
  const auto replies = decode_replies(copy, kFamily, core::Family::v4);
  if (!replies || replies->size() != 1) return std::nullopt;
  const auto* body = std::get_if<Body>(&replies->front().body);
  return body != nullptr ? std::optional<Body>(*body) : std::nullopt;
}

Bytes outcome(std::uint16_t type, std::uint32_t sequence, int error) {
  nlmsghdr header{NLMSG_LENGTH(sizeof error), type, 0, sequence, 0};
  const int negative = -error;
  Bytes out(header.nlmsg_len);
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + NLMSG_HDRLEN, &negative, sizeof negative);
  return out;
}

class FakeLink final : public Link {
 public:
  explicit FakeLink(FakeKernel& kernel) : kernel_(kernel) {}

  int send(View datagram) override {
    ++kernel_.datagrams;
    std::size_t batch = 0;
    while (!datagram.empty()) {
      const auto length = header_of(datagram).nlmsg_len;
      HOLDFAST_ASSERT(length <= datagram.size(), "the client sends whole messages");
      obey(datagram.first(length));
      ++batch;
      datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(length), datagram.size()));
    }
    kernel_.requests += batch;
    kernel_.largest_batch = std::max(kernel_.largest_batch, batch);
    return 0;
  }

  int receive(View& datagram, core::Duration) override {
    if (kernel_.receive_error != 0 && kernel_.answers_before_error-- == 0)
      return std::exchange(kernel_.receive_error, 0);
    if (kernel_.answers.empty()) return ETIMEDOUT;
    current_ = std::move(kernel_.answers.front());
    datagram = current_;
    kernel_.answers.pop_front();
    return 0;
  }

 private:
  void obey(View request) {
    const auto header = header_of(request);
    if (kernel_.refuse_all != 0)
      return answer(outcome(NLMSG_ERROR, header.nlmsg_seq, kernel_.refuse_all));
    switch (command_of(request)) {
      case IPVS_CMD_GET_INFO:
        return info(header.nlmsg_seq);
      case IPVS_CMD_GET_SERVICE:
        if ((header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) return services(header.nlmsg_seq);
        return service(header.nlmsg_seq, request);
      case IPVS_CMD_GET_DEST:
        return servers(header.nlmsg_seq, request);
      default:
        break;
    }
    const auto step = step_of(request);
    int error = EINVAL;
    if (step) error = knows_scheduler(*step) ? apply_step(*step, kernel_.table) : ENOENT;
    if (error != 0 || (header.nlmsg_flags & NLM_F_ACK) != 0)
      answer(outcome(NLMSG_ERROR, header.nlmsg_seq, error));
  }

  bool knows_scheduler(const Step& step) const {
    const auto* add = std::get_if<AddService>(&step);
    return add == nullptr || kernel_.schedulers.empty() ||
           kernel_.schedulers.contains(add->settings.scheduler);
  }

  void answer(Bytes bytes) { kernel_.answers.push_back(std::move(bytes)); }

  void info(std::uint32_t sequence) {
    // nlmsghdr, genlmsghdr with SET_INFO, two u32 attributes.
    const nlmsghdr header{NLMSG_HDRLEN + 4 + 16, kFamily, 0, sequence, 0};
    const std::uint32_t rest[] = {IPVS_CMD_SET_INFO | 1 << 8, 8 | 1 << 16, 0x010201, 8 | 2 << 16,
                                  4096};
    Bytes out(header.nlmsg_len);
    std::memcpy(out.data(), &header, sizeof header);
    std::memcpy(out.data() + NLMSG_HDRLEN, rest, sizeof rest);
    answer(std::move(out));
  }

  void dump(std::uint32_t sequence, const Plan& entries) {
    Bytes out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      append_step(out, {kFamily, sequence}, Answer::on_failure, entries[i]);
      if ((i + 1) % kernel_.entries_per_datagram == 0 || i + 1 == entries.size())
        answer(std::exchange(out, {}));
    }
    answer(outcome(NLMSG_DONE, sequence, 0));
  }

  void services(std::uint32_t sequence) {
    kernel_.before_list(kernel_.table);
    ++kernel_.service_lists;
    Plan entries;
    for (const auto& [key, service] : kernel_.table.services)
      entries.push_back(AddService{key, service.settings});
    kernel_.moved_list(entries);
    dump(sequence, entries);
  }

  void service(std::uint32_t sequence, View request) {
    ++kernel_.services_asked;
    kernel_.before_list(kernel_.table);
    const auto asked = read_as<ServiceReply>(request, IPVS_CMD_NEW_SERVICE);
    const auto found =
        asked ? kernel_.table.services.find(asked->key) : kernel_.table.services.end();
    if (found == kernel_.table.services.end()) return answer(outcome(NLMSG_ERROR, sequence, ESRCH));
    Bytes out;
    append_step(out, {kFamily, sequence}, Answer::on_failure,
                AddService{found->first, found->second.settings});
    answer(std::move(out));
  }

  void servers(std::uint32_t sequence, View request) {
    ++kernel_.server_lists;
    kernel_.before_servers(kernel_.table);
    Plan entries;
    const auto asked = read_as<ServiceReply>(request, IPVS_CMD_NEW_SERVICE);
    const auto found =
        asked ? kernel_.table.services.find(asked->key) : kernel_.table.services.end();
    if (found != kernel_.table.services.end()) {
      for (const auto& [endpoint, server] : found->second.servers)
        entries.push_back(AddServer{found->first, endpoint, server});
    }
    dump(sequence, entries);
  }

  FakeKernel& kernel_;
  Bytes current_;
};

}  // namespace

std::optional<Step> step_of(View request) {
  const auto service = read_as<ServiceReply>(request, IPVS_CMD_NEW_SERVICE);
  if (!service) return std::nullopt;
  const auto server = read_as<ServerReply>(request, IPVS_CMD_NEW_DEST);
  switch (command_of(request)) {
    case IPVS_CMD_NEW_SERVICE:
      return AddService{service->key, service->settings};
    case IPVS_CMD_SET_SERVICE:
      return EditService{service->key, service->settings};
    case IPVS_CMD_DEL_SERVICE:
      return DeleteService{service->key};
    default:
      break;
  }
  if (!server) return std::nullopt;
  switch (command_of(request)) {
    case IPVS_CMD_NEW_DEST:
      return AddServer{service->key, server->endpoint, server->server};
    case IPVS_CMD_SET_DEST:
      return EditServer{service->key, server->endpoint, server->server};
    case IPVS_CMD_DEL_DEST:
      return DeleteServer{service->key, server->endpoint};
    default:
      return std::nullopt;
  }
}

std::unique_ptr<Link> link_to(FakeKernel& kernel) {
  return std::make_unique<FakeLink>(kernel);
}

}  // namespace holdfast::ipvs::test
