#pragma once

// A TCP proxy in front of PostgreSQL that cuts connections where a test wants it: before or after
// the server has seen COMMIT, or as soon as somebody connects. One thread of its own.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace headrace::store {

enum class Cut { kNever, kBeforeCommit, kAfterCommit };

class CuttingProxy {
 public:
  // In front of the server at the URL's host and port.
  explicit CuttingProxy(const std::string& server_url);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  // The server's URL by way of this proxy.
  const std::string& url() const { return url_; }

  void cut_next(Cut cut) { cut_ = cut; }
  // With each cut the way stays closed: connections are ended as they come.
  void stay_closed_after_cut(bool stays) { stays_closed_ = stays; }
  void open() { is_closed_ = false; }
  int cuts() const { return cuts_; }

 private:
  struct Way;
  struct Ways;
  void run(const std::stop_token& stop);
  void accept_one();
  bool carry(Way& way, bool from_client);

  std::string url_;
  uint16_t server_port_ = 0;
  int listener_ = -1;
  std::atomic<Cut> cut_ = Cut::kNever;
  std::atomic<bool> stays_closed_ = false;
  std::atomic<bool> is_closed_ = false;
  std::atomic<int> cuts_ = 0;
  std::unique_ptr<Ways> ways_;
  std::jthread thread_;
};

}  // namespace headrace::store
