// What a call would take: lengths of slices in closed form, and the simulation of the engine.
#include "advice/simulate.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "board/chunking.hpp"
#include "support/made_up_work.hpp"

namespace forkful::detail {
namespace {

using forkful_tests::usual_machine;
using forkful_tests::work_of;

using shape = lengths::shape;
constexpr shape all_shapes[] = {shape::equal, shape::linear, shape::exponential, shape::bimodal, shape::giant};

// ---- Lengths ----------------------------------------------------------------------------------------------------------

TEST(lengths, of_every_shape_have_the_mean_they_were_given) {
  for (const shape form : all_shapes) {
    for (const std::size_t slices : {1UL, 2UL, 7UL, 100UL, 1025UL, 100'000'000UL}) {
      const lengths made = lengths::shaped(slices, 2e-3, form);
      EXPECT_NEAR(made.mean(), 2e-3, 1e-9) << static_cast<int>(form) << ", " << slices;
      EXPECT_NEAR(made.sum(0, slices), 2e-3 * static_cast<double>(slices), 1e-9 * static_cast<double>(slices));
    }
  }
}

TEST(lengths, sums_add_up_wherever_they_are_cut) {
  std::vector<lengths> all;
  for (const shape form : all_shapes) all.push_back(lengths::shaped(5'000, 1e-3, form));
  std::vector<std::size_t> at;
  std::vector<double> took;
  for (std::size_t i = 0; i != 64; ++i) {
    at.push_back(i * 78);
    took.push_back(1e-3 + 1e-5 * static_cast<double>(i) + 1e-4 * static_cast<double>(i % 3));
  }
  all.push_back(lengths::sampled(5'000, at, took));
  for (const lengths& each : all) {
    double sum = 0;
    for (std::size_t i = 0; i != 5'000; ++i) {
      const double one = each.sum(i, i + 1);
      EXPECT_GT(one, 0);
      EXPECT_LE(one, each.longest() * 1.001);
      sum += one;
      EXPECT_NEAR(each.sum(0, i + 1), sum, 1e-9);
    }
    EXPECT_NEAR(each.sum(1'234, 4'321) + each.sum(0, 1'234) + each.sum(4'321, 5'000), sum, 1e-9);
    EXPECT_EQ(each.sum(10, 10), 0);
    EXPECT_NEAR(each.sum(4'000, 9'999), each.sum(4'000, 5'000), 1e-12) << "there are no slices beyond the last";
  }
}

TEST(lengths, have_the_shape_they_are_called_by) {
  const lengths linear = lengths::shaped(100, 1, shape::linear);
  EXPECT_NEAR(linear.sum(0, 1), 0.01, 1e-9);
  EXPECT_NEAR(linear.sum(99, 100), 1.99, 1e-9);
  EXPECT_NEAR(linear.longest(), 1.99, 1e-9);

  const lengths giant = lengths::shaped(11, 1, shape::giant);
  EXPECT_NEAR(giant.sum(0, 1), 5.5, 1e-9);
  EXPECT_NEAR(giant.sum(1, 11), 5.5, 1e-9);
  EXPECT_NEAR(giant.longest(), 5.5, 1e-9);
  EXPECT_NEAR(giant.longest(1, 11), 0.55, 1e-9);

  const lengths bimodal = lengths::shaped(1'000, 1.9, shape::bimodal);
  std::size_t longer = 0;
  for (std::size_t i = 0; i != 1'000; ++i) longer += bimodal.sum(i, i + 1) > 5 ? 1 : 0;
  EXPECT_EQ(longer, 100U);
  EXPECT_NEAR(bimodal.longest(), 10, 1e-6);

  // Half of an exponential distribution lies below ln 2 times its mean.
  const lengths exponential = lengths::shaped(1'000, 1, shape::exponential);
  std::size_t below = 0;
  for (std::size_t i = 0; i != 1'000; ++i) below += exponential.sum(i, i + 1) < std::log(2) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(below), 500, 2);
  EXPECT_GT(exponential.longest(), 6);
}

TEST(lengths, sampled_follow_a_trend_that_samples_show) {
  std::vector<std::size_t> at;
  std::vector<double> took;
  for (std::size_t i = 0; i != 32; ++i) {
    at.push_back(i * 31 + 15);
    took.push_back(static_cast<double>(i * 31 + 15));
  }
  const lengths rising = lengths::sampled(1'000, at, took);
  EXPECT_NEAR(rising.sum(0, 1'000), 499'500, 5'000);
  EXPECT_NEAR(rising.sum(0, 500), 124'750, 10'000);
  EXPECT_NEAR(rising.longest(), 1'000, 250);
}

// Ten giants at the end take as long as they do there, not as some that are scattered.
TEST(lengths, where_nearly_all_were_sampled_each_has_its_own_time) {
  std::vector<std::size_t> at;
  std::vector<double> took;
  for (std::size_t i = 0; i != 100; ++i) {
    if (i % 20 == 7) continue;  // was not sampled
    at.push_back(i);
    took.push_back(i < 90 ? 1e-6 : 100e-6);
  }
  const lengths all = lengths::sampled(100, at, took);
  EXPECT_NEAR(all.sum(0, 7), 7e-6, 1e-12);
  EXPECT_NEAR(all.sum(99, 100), 100e-6, 1e-12);
  EXPECT_NEAR(all.sum(7, 8), all.mean(), 1e-6) << "of what is not known the mean";
  EXPECT_NEAR(all.longest(), 100e-6, 1e-12);
  EXPECT_LT(all.longest(0, 90), 13e-6);
}

TEST(lengths, sampled_without_a_trend_vary_as_the_samples_do) {
  const lengths mixed = lengths::sampled(1'000, {1, 100, 300, 500, 700, 900}, {1, 3, 1, 3, 3, 1});
  EXPECT_NEAR(mixed.mean(), 2, 0.02);
  EXPECT_NEAR(mixed.longest(), 3, 1e-9);
  EXPECT_NEAR(mixed.sum(0, 6), 12, 1e-9);
}

TEST(lengths, a_sample_longer_than_all_others_together_is_the_only_one_of_its_kind) {
  const lengths one = lengths::sampled(1'000, {0, 250, 500, 750}, {900, 1, 1, 1});
  EXPECT_NEAR(one.sum(0, 1), 900, 1e-6);
  EXPECT_NEAR(one.sum(1, 1'000), 999, 1e-6);
  EXPECT_NEAR(one.longest(), 900, 1e-6);
}

TEST(lengths, scaled_are_as_many_times_as_long) {
  for (const shape form : all_shapes) {
    const lengths made = lengths::shaped(1'003, 1e-3, form);
    EXPECT_NEAR(made.scaled(3).sum(7, 900), 3 * made.sum(7, 900), 1e-9);
    EXPECT_NEAR(made.scaled(3).longest(), 3 * made.longest(), 1e-9);
  }
}

// ---- The engine -------------------------------------------------------------------------------------------------------

// Nothing costs anything.
machine free_machine(unsigned cpus) {
  machine made;
  made.cpus = cpus;
  return made;
}

double sum_of(const prediction& p) {
  return p.start + p.wake + p.compute + p.contention + p.pass + p.hand_out + p.tail;
}

constexpr way parallel_ways[] = {way::threads, way::snapshot, way::processes};

TEST(simulate, serial_is_the_sum_of_all_lengths) {
  const prediction loop = simulate(work_of(1'000, 1e-3, shape::giant), {.by = way::serial}, usual_machine(2));
  EXPECT_NEAR(loop.wall, 1, 1e-9);
  EXPECT_NEAR(loop.compute, 1, 1e-9);
}

TEST(simulate, no_slices_take_no_time) {
  for (const way by : {way::serial, way::threads, way::snapshot, way::processes}) {
    EXPECT_EQ(simulate(work_of(0, 1), {.by = by, .workers = 2, .cores = 2}, usual_machine(2)).wall, 0);
  }
}

TEST(simulate, one_slice_on_a_sleeping_worker_takes_the_call_and_the_waking) {
  machine on = free_machine(2);
  on.processes = {.call = 3e-6, .wake = 50e-6, .hand_out = 1e-6, .claim = 0.5e-6};
  const prediction one = simulate(work_of(1, 1e-4), {.by = way::processes, .workers = 2, .cores = 2}, on);
  // The caller spins for longer than that, so it need not be woken.
  EXPECT_NEAR(one.wall, 3e-6 + 50e-6 + 100e-6, 1e-9);
  EXPECT_EQ(one.chunks, 1U);

  // Longer than it spins: it sleeps, and is woken when the slice is done.
  const prediction longer = simulate(work_of(1, 1e-3), {.by = way::processes, .workers = 2, .cores = 2}, on);
  EXPECT_NEAR(longer.wall, 3e-6 + 50e-6 + 1e-3 + 50e-6, 1e-9);
}

TEST(simulate, two_long_slices_on_two_workers_run_at_once_once_the_second_is_woken) {
  machine on = free_machine(2);
  on.processes.wake = 50e-6;
  const prediction two = simulate(work_of(2, 1e-3), {.by = way::processes, .workers = 2, .cores = 2}, on);
  // The first begins after 50 us and rings for the caller when it finds no more work; the second, woken when its slice had lain
  // unclaimed for 20 us, ends while the caller wakes.
  EXPECT_NEAR(two.wall, 50e-6 + 1e-3 + 50e-6, 1e-9);
  EXPECT_NEAR(two.tail, 20e-6 / 2, 1e-9) << "the first waits for the second";
  EXPECT_NEAR(two.compute, 1e-3, 1e-9);
}

TEST(simulate, a_worker_for_whom_no_core_is_left_comes_late) {
  machine on = free_machine(2);
  on.processes.wake = 50e-6;
  on.crowded_wake = 300e-6;
  const prediction two = simulate(work_of(2, 1e-3), {.by = way::processes, .workers = 2, .cores = 2}, on);
  // Called when its slice had lain unclaimed for 20 us; the caller sleeps by then, and is woken for it.
  EXPECT_NEAR(two.wall, 20e-6 + 300e-6 + 1e-3 + 50e-6, 1e-9);
  const prediction roomy = simulate(work_of(2, 1e-3), {.by = way::processes, .workers = 2, .cores = 3}, on);
  EXPECT_NEAR(roomy.wall, 50e-6 + 1e-3 + 50e-6, 1e-9) << "the second wakes as the first does";
  on.threads.wake = 50e-6;
  EXPECT_NEAR(simulate(work_of(2, 1e-3), {.by = way::threads, .workers = 2, .cores = 2}, on).wall, 1.05e-3, 1e-9)
      << "the caller of a thread pool is one of its workers";
}

TEST(simulate, a_short_burst_is_eaten_by_one_worker) {
  machine on = free_machine(2);
  on.processes.wake = 50e-6;
  const prediction burst = simulate(work_of(4, 1e-6), {.by = way::processes, .workers = 2, .cores = 2}, on);
  EXPECT_NEAR(burst.wall, 54e-6, 1e-9);
}

TEST(simulate, workers_wake_each_other_so_that_many_are_there_soon) {
  const machine on = usual_machine(65);
  // 31.25 ms are the work. The caller alone, 20 us apart until it sleeps, would take 13 ms to have all of them running.
  const prediction many = simulate(work_of(2'000, 1e-3), {.by = way::processes, .workers = 64, .cores = 65}, on);
  EXPECT_LT(many.wall, 0.034);
  EXPECT_LT(many.wake, 0.002);
  EXPECT_GT(many.wake, 0.0005) << "but not all at once";
}

TEST(simulate, the_caller_of_a_thread_pool_eats_too_and_needs_no_waking) {
  machine on = free_machine(2);
  on.threads.wake = 40e-6;
  EXPECT_NEAR(simulate(work_of(1, 1e-4), {.by = way::threads, .workers = 2, .cores = 2}, on).wall, 1e-4, 1e-9);
  EXPECT_NEAR(simulate(work_of(2, 1e-5), {.by = way::threads, .workers = 2, .cores = 2}, on).wall, 2e-5, 1e-9)
      << "both are run before the helper is there";
  // The helper comes 40 us late to its slice.
  EXPECT_NEAR(simulate(work_of(2, 1e-3), {.by = way::threads, .workers = 2, .cores = 2}, on).wall, 1.04e-3, 1e-9);
}

TEST(simulate, a_photograph_forks_workers_one_after_another) {
  machine on = free_machine(4);
  on.fork_start = 1e-3;
  on.fork_per_byte = 1e-9;
  const workload work = work_of(4, 1e-2);
  EXPECT_NEAR(simulate(work, {.by = way::snapshot, .workers = 4, .cores = 4}, on).wall, 4e-3 + 1e-2, 1e-3);
  EXPECT_NEAR(simulate(work, {.by = way::snapshot, .workers = 4, .cores = 4, .private_memory = 1e6}, on).wall,
              8e-3 + 1e-2, 1e-3);
  EXPECT_NEAR(simulate(work, {.by = way::snapshot, .workers = 100, .cores = 4}, on).wall, 4e-3 + 1e-2, 1e-3)
      << "no more of them than there are slices";
}

TEST(simulate, a_cold_pool_starts_by_fork_or_from_the_template) {
  machine on = free_machine(2);
  on.fork_start = 3e-3;
  on.template_start = 1e-3;
  on.fork_per_byte = 1e-9;
  crew_plan plan{.by = way::processes, .workers = 2, .cores = 2, .cold = true, .private_memory = 1e6};
  const workload work = work_of(100, 1e-3);
  EXPECT_NEAR(simulate(work, plan, on).start, 8e-3, 1e-9);
  plan.from_template = true;
  EXPECT_NEAR(simulate(work, plan, on).start, 2e-3, 1e-9);
  plan.cold = false;
  EXPECT_EQ(simulate(work, plan, on).start, 0);
}

TEST(simulate, without_costs_every_shape_ends_within_a_few_percent_of_the_bound) {
  for (const shape form : all_shapes) {
    for (const unsigned workers : {2U, 4U, 8U}) {
      for (const way by : {way::threads, way::processes}) {
        const workload work = work_of(10'000, 1e-3, form);
        const double bound = std::max(work.time.sum(0, 10'000) / workers, work.time.longest());
        const double wall =
            simulate(work, {.by = by, .workers = workers, .cores = workers}, free_machine(workers)).wall;
        EXPECT_GE(wall, bound * (1 - 1e-9));
        EXPECT_LE(wall, bound * 1.03) << static_cast<int>(form) << ", " << workers << " workers";
      }
    }
  }
}

TEST(simulate, is_never_faster_than_its_work_nor_slower_than_one_worker_with_all_costs) {
  const machine on = usual_machine(4);
  for (const shape form : all_shapes) {
    for (const std::size_t slices : {1UL, 3UL, 100UL, 5'000UL}) {
      for (const double mean : {1e-7, 1e-5, 1e-3}) {
        for (const unsigned workers : {1U, 2U, 4U, 16U}) {
          for (const way by : parallel_ways) {
            workload work = work_of(slices, mean, form);
            work.in.bytes = work.out.bytes = 1'000;
            const crew_plan plan{.by = by, .workers = workers, .cores = 4};
            const prediction p = simulate(work, plan, on);
            const double alone = work.time.sum(0, slices);
            EXPECT_GE(p.wall, std::max(alone / std::min(workers, 4U), work.time.longest()) * (1 - 1e-9));
            const auto chunks = static_cast<double>(p.chunks);
            const double costs = workers * on.fork_start + on.processes.call + chunks * 0.3e-6 +
                                 static_cast<double>(slices) * 2'000 * (1 / 10e9 + 1 / 1.5e9);
            // Waking: once for the first worker, once for the caller, and once for others that come too late to help.
            EXPECT_LE(p.wall, alone + costs + 4 * on.processes.wake) << slices << " x " << mean << ", " << workers;
            EXPECT_NEAR(sum_of(p), p.wall, 1e-9 * p.wall + 1e-12);
          }
        }
      }
    }
  }
}

TEST(simulate, cuts_chunks_as_the_engine_does) {
  workload work = work_of(12'345, 1e-5);
  const auto chunks_of = [](std::size_t asked, std::size_t bytes, unsigned workers) {
    std::size_t count = 0;
    for (std::size_t left = 12'345; left != 0; ++count) left -= next_chunk(12'345, left, workers, asked, bytes, 0);
    return count;
  };
  for (const unsigned workers : {1U, 2U, 7U}) {
    for (const way by : parallel_ways) {
      EXPECT_EQ(simulate(work, {.by = by, .workers = workers, .cores = 4}, usual_machine(4)).chunks,
                chunks_of(0, 0, workers));
    }
  }
  work.asked_chunk = 100;
  EXPECT_EQ(simulate(work, {.by = way::processes, .workers = 2, .cores = 4}, usual_machine(4)).chunks, 124U);
  work.asked_chunk = 0;
  work.in.bytes = 300'000;
  EXPECT_EQ(simulate(work, {.by = way::processes, .workers = 2, .cores = 4}, usual_machine(4)).chunks,
            chunks_of(0, 300'000, 2));
}

TEST(simulate, workers_without_cores_share_them) {
  const workload work = work_of(64, 1e-2);
  const prediction crowded = simulate(work, {.by = way::processes, .workers = 8, .cores = 2}, free_machine(2));
  EXPECT_NEAR(crowded.wall, 0.32, 0.01);
  EXPECT_GT(crowded.contention, 0.2);
}

TEST(simulate, slices_that_sleep_need_no_cores) {
  workload work = work_of(64, 1e-2);
  work.cpu_share = 0;
  const machine on = usual_machine(2);
  EXPECT_NEAR(simulate(work, {.by = way::processes, .workers = 8, .cores = 2}, on).wall, 0.08, 1e-3);
  work.cpu_share = 0.5;  // two cores are enough for four
  EXPECT_NEAR(simulate(work, {.by = way::processes, .workers = 4, .cores = 2}, on).wall, 0.16, 2e-3);
  const double eight = simulate(work, {.by = way::processes, .workers = 8, .cores = 2}, on).wall;
  EXPECT_GT(eight, 0.115);  // each of them half the time on a core, and a core has time for two
  EXPECT_LT(eight, 0.165);
}

TEST(simulate, memory_carries_only_so_much) {
  workload work = work_of(1'000, 1e-3);
  work.traffic = 15e9;  // of 30 GB/s, reading and writing
  const machine on = usual_machine(8);
  EXPECT_NEAR(simulate(work, {.by = way::processes, .workers = 2, .cores = 8}, on).wall, 0.5, 0.01);
  const prediction four = simulate(work, {.by = way::processes, .workers = 4, .cores = 8}, on);
  EXPECT_NEAR(four.wall, 0.5, 0.01) << "twice the workers, each half as fast";
  EXPECT_NEAR(four.contention, 0.25, 0.01);

  work.traffic = 0;
  work.slowdown = 2;  // with all eight running
  EXPECT_NEAR(simulate(work, {.by = way::processes, .workers = 8, .cores = 8}, on).wall, 0.25, 0.01);
}

TEST(simulate, a_callable_that_is_parallel_already_gains_nothing) {
  workload work = work_of(100, 1e-2);
  work.inner_threads = 2;
  const machine on = usual_machine(2);
  const prediction processes = simulate(work, {.by = way::processes, .workers = 2, .cores = 2}, on);
  EXPECT_NEAR(processes.wall, 1, 0.03) << "each slice takes twice as long on one thread";
  EXPECT_NEAR(processes.contention, 0.5, 0.02);
  EXPECT_NEAR(simulate(work, {.by = way::threads, .workers = 2, .cores = 2}, on).wall, 1, 0.03)
      << "four threads on two cores";
}

TEST(simulate, what_is_copied_costs_the_caller_where_it_cannot_be_hidden) {
  workload work = work_of(100, 1e-4);
  work.in.bytes = 1e7;  // 1 ms to encode: the workers wait for the caller
  const prediction copied = simulate(work, {.by = way::processes, .workers = 2, .cores = 3}, usual_machine(3));
  EXPECT_GT(copied.wall, 0.1);
  EXPECT_GT(copied.pass, 0.8 * copied.wall);
  EXPECT_LT(simulate(work, {.by = way::snapshot, .workers = 2, .cores = 3}, usual_machine(3)).wall, 0.01)
      << "a photograph has the input already";
  EXPECT_LT(simulate(work, {.by = way::threads, .workers = 2, .cores = 3}, usual_machine(3)).wall, 0.01);
  // Measured times count more than bytes.
  work.in.encode = work.in.decode = 1e-6;
  EXPECT_LT(simulate(work, {.by = way::processes, .workers = 2, .cores = 3}, usual_machine(3)).wall, 0.01);
}

TEST(simulate, every_worker_decodes_a_broadcast) {
  workload work = work_of(4, 1e-2);
  const machine on = usual_machine(4);
  const crew_plan plan{.by = way::processes, .workers = 4, .cores = 4};
  const double without = simulate(work, plan, on).wall;
  work.broadcast_bytes = 150e6;  // 15 ms to encode, once, and 100 ms to decode, by all workers at the same time
  EXPECT_NEAR(simulate(work, plan, on).wall - without, 0.115, 1e-3);
}

TEST(simulate, more_of_everything_never_takes_less) {
  const machine on = usual_machine(8);
  double before = 0;
  for (const double mean : {1e-6, 1e-5, 1e-4, 1e-3}) {
    const double wall = simulate(work_of(1'000, mean), {.by = way::processes, .workers = 4, .cores = 8}, on).wall;
    EXPECT_GT(wall, before);
    before = wall;
  }
  before = 1e9;
  for (const unsigned workers : {1U, 2U, 4U, 8U}) {  // long slices, as many cores
    const double wall = simulate(work_of(1'000, 1e-3), {.by = way::processes, .workers = workers, .cores = 8}, on).wall;
    EXPECT_LT(wall, before);
    before = wall;
  }
}

TEST(simulate, hundred_million_slices_cost_no_more_than_a_few) {
  const workload work = work_of(100'000'000, 1e-6, shape::exponential);
  const prediction two = simulate(work, {.by = way::processes, .workers = 2, .cores = 2}, free_machine(2));
  EXPECT_NEAR(two.wall, 50, 0.1);
  workload by_one = work;
  by_one.asked_chunk = 1;  // played in groups: the same work, the same number of chunks
  const prediction single = simulate(by_one, {.by = way::processes, .workers = 2, .cores = 2}, usual_machine(2));
  EXPECT_EQ(single.chunks, 100'000'000U);
  EXPECT_NEAR(sum_of(single), single.wall, 1e-6 * single.wall);
  EXPECT_GT(single.wall, 50 + 1e8 * 0.1e-6 / 2) << "every chunk is claimed";
}

TEST(simulate, hosts_share_the_work) {
  const workload work = work_of(100'000, 1e-3);
  crew_plan plan{.by = way::processes, .workers = 8, .cores = 9};
  const double one = simulate(work, plan, usual_machine(9)).wall;
  double before = one;
  for (const unsigned hosts : {2U, 4U, 16U, 64U}) {
    plan.hosts = hosts;
    const prediction p = simulate(work, plan, usual_machine(9));
    EXPECT_LT(p.wall, before);
    EXPECT_GT(p.wall, one / hosts * 0.99);
    EXPECT_LT(p.wall, one / hosts * 1.2) << hosts;
    EXPECT_NEAR(sum_of(p), p.wall, 1e-9);
    before = p.wall;
  }
}

TEST(simulate, a_slow_network_is_the_limit_of_many_hosts) {
  workload work = work_of(10'000, 1e-3);
  work.in.bytes = 1e5;
  const crew_plan plan{.by = way::processes, .workers = 8, .cores = 9, .hosts = 64, .bandwidth = 1e9};
  EXPECT_GT(simulate(work, plan, usual_machine(9)).wall, 1.0) << "1 GB at 1 GB/s";
}

TEST(simulate, says_the_same_every_time) {
  for (const shape form : all_shapes) {
    for (const way by : parallel_ways) {
      const workload work = work_of(3'000, 1e-4, form);
      const crew_plan plan{.by = by, .workers = 3, .cores = 2};
      const prediction first = simulate(work, plan, usual_machine(2));
      const prediction second = simulate(work, plan, usual_machine(2));
      EXPECT_EQ(first.wall, second.wall);
      EXPECT_EQ(first.tail, second.tail);
      EXPECT_EQ(first.chunks, second.chunks);
    }
  }
}

}  // namespace
}  // namespace forkful::detail
