// Slices of a chosen length on MPI ranks: each takes the next one from a counter that all share (MPI_Fetch_and_op), which is how MPI
// programs balance independent work without a rank that only distributes it. Answers "COUNT BITES" with seconds, as slices.py does.
#include <mpi.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <iostream>

#include "side_by_side/kernel.hpp"

namespace {

// Ranks that wait for a barrier spin; between rounds the other contestants need the cores.
void wait_quietly_for_news(std::array<std::uint64_t, 2>& news) {
  for (int there = 0; there == 0;) {
    MPI_Iprobe(0, 0, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    if (there == 0) usleep(500);
  }
  MPI_Recv(news.data(), 2, MPI_UINT64_T, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  std::int64_t* next = nullptr;
  MPI_Win window = MPI_WIN_NULL;
  MPI_Win_allocate(rank == 0 ? sizeof(*next) : 0, sizeof(*next), MPI_INFO_NULL, MPI_COMM_WORLD, &next, &window);
  MPI_Win_lock_all(0, window);
  if (rank == 0) std::cout << "ready" << std::endl;
  for (;;) {
    std::array<std::uint64_t, 2> news{};  // count, steps; none: the end
    if (rank == 0) {
      if (!(std::cin >> news[0] >> news[1])) news = {};
      for (int other = 1; other < ranks; ++other) MPI_Send(news.data(), 2, MPI_UINT64_T, other, 0, MPI_COMM_WORLD);
      const std::int64_t zero = 0;
      std::int64_t before = 0;
      MPI_Fetch_and_op(&zero, &before, MPI_INT64_T, 0, 0, MPI_REPLACE, window);
      MPI_Win_flush(0, window);
    } else {
      wait_quietly_for_news(news);
    }
    if (news[0] == 0) break;
    MPI_Barrier(MPI_COMM_WORLD);
    const double began = MPI_Wtime();
    for (;;) {
      const std::int64_t one = 1;
      std::int64_t mine = 0;
      MPI_Fetch_and_op(&one, &mine, MPI_INT64_T, 0, 0, MPI_SUM, window);
      MPI_Win_flush(0, window);
      if (mine >= static_cast<std::int64_t>(news[0])) break;
      const std::uint64_t finished = forkful_bench::run_slice(static_cast<std::uint64_t>(mine), news[1]);
      asm volatile("" : : "r"(finished) : "memory");
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) std::cout << MPI_Wtime() - began << std::endl;
  }
  MPI_Win_unlock_all(window);
  MPI_Win_free(&window);
  MPI_Finalize();
}
