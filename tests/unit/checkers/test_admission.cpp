// Which probes go first when there are fewer descriptors than probes.
#include "checkers/core/admission.hpp"
#include "tests/unit/checkers/engine_bench.hpp"

#include <fmt/format.h>

using namespace holdfast;
using namespace holdfast::checkers;
using namespace holdfast::checkers::test;

namespace {

std::vector<ProbeId> admit_all(Admission& admission) {
  std::vector<ProbeId> admitted;
  while (const auto id = admission.admit()) admitted.push_back(*id);
  return admitted;
}

ProbeId id(std::uint64_t number) {
  return ProbeId{number};
}

}  // namespace

TEST_CASE("admission: the descriptors are the limit, less what the rest of the process needs") {
  CHECK(probe_limit(20'000) == 20'000 - kReservedDescriptors);
  CHECK(probe_limit(1024) == 1024 - kReservedDescriptors);
  CHECK(probe_limit(64) == 32);
  CHECK(probe_limit(1) == 1);
}

TEST_CASE("admission: within the limit everybody begins, in order") {
  Admission admission(8);
  admission.enqueue(id(1), Lane::fallen);
  admission.enqueue(id(2), Lane::fallen);

  CHECK(admit_all(admission) == std::vector{id(1), id(2)});
  CHECK(admission.open() == 2);
  CHECK(admission.waiting() == 0);
  CHECK_FALSE(admission.has_next());
}

TEST_CASE("admission: servers that get traffic overtake those that are down") {
  Admission admission(1);
  for (const std::uint64_t fallen : {1, 2, 3}) admission.enqueue(id(fallen), Lane::fallen);
  admission.enqueue(id(4), Lane::serving);

  CHECK(admit_all(admission) == std::vector{id(4)});
  CHECK(admission.waiting() == 3);
  admission.remove(id(4));
  CHECK(admit_all(admission) == std::vector{id(1)});
}

TEST_CASE("admission: dead servers leave a quarter of the descriptors to the others") {
  Admission admission(8);
  for (std::uint64_t fallen = 1; fallen <= 100; ++fallen)
    admission.enqueue(id(fallen), Lane::fallen);
  CHECK(admit_all(admission).size() == 6);
  CHECK_FALSE(admission.has_next());

  admission.enqueue(id(200), Lane::serving);
  admission.enqueue(id(201), Lane::serving);
  admission.enqueue(id(202), Lane::serving);

  CHECK(admission.has_next());
  CHECK(admit_all(admission) == std::vector{id(200), id(201)});
  CHECK(admission.open() == 8);
  admission.remove(id(1));  // the place of a dead one goes to whoever gets traffic
  CHECK(admit_all(admission) == std::vector{id(202)});
}

TEST_CASE("admission: who is not wanted any more keeps no place and is not begun") {
  Admission admission(1);
  admission.enqueue(id(1), Lane::serving);
  admission.enqueue(id(2), Lane::serving);
  admission.enqueue(id(3), Lane::serving);
  CHECK(admit_all(admission) == std::vector{id(1)});

  admission.remove(id(2));
  admission.remove(id(1));
  admission.remove(id(1));  // for the second time

  CHECK(admit_all(admission) == std::vector{id(3)});
  CHECK(admission.open() == 1);
  CHECK(admission.waiting() == 0);
}

TEST_CASE("engine: a probe says whether a server that counts on it gets traffic") {
  Bench bench;
  const auto lanes = [&] {
    std::map<ProbeId, Lane> of;
    for (const StartProbe& start : bench.take<StartProbe>()) of[start.probe] = start.lane;
    return of;
  };
  bench.configure({{service(1, {1, 2})}});
  bench.answers[server_at(2)] = kBad;
  bench.run_for(1s);  // both are assumed to be up until then
  CHECK(lanes() == std::map{std::pair{id(1), Lane::serving}, {id(2), Lane::serving}});
  bench.run_for(6s);
  CHECK(lanes() == std::map{std::pair{id(1), Lane::serving}, {id(2), Lane::fallen}});

  bench.answers[server_at(1)] = kBad;
  bench.run_for(6s);
  CHECK(lanes().at(id(1)) == Lane::serving);
  bench.run_for(3s);
  CHECK(lanes() == std::map{std::pair{id(1), Lane::serving}});  // a retry
}
