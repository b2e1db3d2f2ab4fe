#pragma once
// What a running process holds: descriptors by kind, threads by name, memory; and how a figure
// grows with another.
//
// Thread   any. Everything is read from /proc at the call.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace penstock::e2e {

// By what /proc/PID/fd calls them: "socket", "pipe", "anon_inode:[eventpoll]", or the path of a
// file.
std::map<std::string, std::size_t> descriptors_by_kind(int process);

// The number of the thread with this name, as ps shows it; a thread gives it to itself when it
// begins. Errors: Failure, after the deadline.
int thread_named(int process, const std::string& name);

long resident_kib(int process);
// Of the whole machine; others use it, too.
long available_kib();

// The soft limit of a running process, at most the hard one. Errors: Failure.
void set_soft_limit(int process, int resource, std::size_t value);

// The slope of the line through the points by least squares. REQUIRES: two different x.
struct Point {
  double x;
  double y;
};
double slope_through(const std::vector<Point>& points);

// The value at a share of the sorted ones, 0.99 for the 99th percentile. REQUIRES: some.
double quantile(std::vector<double> values, double share);

}  // namespace penstock::e2e
