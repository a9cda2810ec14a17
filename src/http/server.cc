#include "http/server.h"

#include <future>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include "http/server_core.h"
#include "http/session.h"
#include "telemetry/log.h"

namespace headrace::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// So many over the limit are told so; those beyond are closed without a word.
constexpr size_t kRefusedSessions = 32;
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::chrono::milliseconds kBreakOffTime{5'000};

tcp::endpoint checked_endpoint(const ServerOptions& options) {
  const std::string& text = options.address == "localhost" ? "127.0.0.1" : options.address;
  error_code problem;
  const auto address = asio::ip::make_address(text, problem);
  if (problem) {
    fail(ErrorKind::kInvalid,
         "listening on '{}': it is not an IP address; use 127.0.0.1, ::1 or 0.0.0.0",
         options.address);
  }
  if (!address.is_loopback() && options.token.empty()) {
    fail(ErrorKind::kDenied,
         "listening on {}: outside loopback the server needs a token; set server.token, or listen "
         "on 127.0.0.1",
         options.address);
  }
  return {address, options.port};
}

}  // namespace

void SessionRegistry::add(std::shared_ptr<Session> session) {
  std::lock_guard lock(mutex_);
  sessions_.insert(std::move(session));
}

void SessionRegistry::remove(const std::shared_ptr<Session>& session) {
  std::lock_guard lock(mutex_);
  sessions_.erase(session);
  if (sessions_.empty()) emptied_.notify_all();
}

size_t SessionRegistry::size() const {
  std::lock_guard lock(mutex_);
  return sessions_.size();
}

std::vector<std::shared_ptr<Session>> SessionRegistry::all() const {
  std::lock_guard lock(mutex_);
  return {sessions_.begin(), sessions_.end()};
}

bool SessionRegistry::wait_until_empty(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, timeout, [&] { return sessions_.empty(); });
}

class Server::State {
 public:
  State(const ServerOptions& options, Handler& handler, WorkerPool& pool,
        telemetry::Metrics& metrics)
      : core_(std::make_shared<ServerCore>(options, handler, pool, metrics)),
        acceptor_(asio::make_strand(core_->io)),
        pause_(acceptor_.get_executor()) {
    bind(checked_endpoint(options));
  }

  void start() {
    accept();
    for (int i = 0; i < core_->options.network_threads; ++i) {
      threads_.emplace_back([core = core_] { core->io.run(); });
    }
  }

  void stop(std::chrono::milliseconds deadline) {
    if (core_->stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      accepting_ended_.set_value();
    });
    if (!threads_.empty()) {
      accepting_ended_.get_future().wait();
      for (const auto& session : core_->sessions.all()) session->wind_down();
      if (!core_->sessions.wait_until_empty(deadline)) break_off();
    }
    work_.reset();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  uint16_t port() const { return endpoint_.port(); }
  std::string url() const {
    const auto address = endpoint_.address();
    const std::string host = address.is_unspecified() ? "127.0.0.1" : address.to_string();
    return address.is_v6() && !address.is_unspecified() ? format("http://[{}]:{}", host, port())
                                                        : format("http://{}:{}", host, port());
  }

 private:
  void bind(const tcp::endpoint& endpoint) {
    try {
      acceptor_.open(endpoint.protocol());
      acceptor_.set_option(asio::socket_base::reuse_address(true));
      acceptor_.bind(endpoint);
      acceptor_.listen();
      endpoint_ = acceptor_.local_endpoint();
    } catch (const boost::system::system_error& error) {
      fail(ErrorKind::kUnavailable,
           "listening on {}:{}: {}; is another headrace running? Choose another port with "
           "server.port",
           endpoint.address().to_string(), endpoint.port(), error.code().message());
    }
  }

  void accept() {
    acceptor_.async_accept(asio::make_strand(core_->io),
                           [this](const error_code& problem, tcp::socket socket) {
                             if (core_->stopping) return;
                             if (problem) return accept_later(problem);
                             admit(std::move(socket));
                             accept();
                           });
  }

  // Out of file descriptors, most likely: they come free as connections close.
  void accept_later(const error_code& problem) {
    telemetry::log_warning("http", "accepting a connection failed", {{"error", problem.message()}});
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](const error_code& cancelled) {
      if (!cancelled && !core_->stopping) accept();
    });
  }

  void admit(tcp::socket socket) {
    const size_t open = core_->sessions.size();
    const auto limit = static_cast<size_t>(core_->options.max_connections);
    if (open >= limit) core_->metrics.connections_refused.add();
    if (open >= limit + kRefusedSessions) return;
    auto session = std::make_shared<Session>(core_, std::move(socket));
    core_->sessions.add(session);
    if (open >= limit) {
      session->refuse();
    } else {
      session->start();
    }
  }

  void break_off() {
    telemetry::log_warning("http", "requests were still in flight when the server stopped",
                           {{"connections", core_->sessions.size()}});
    for (const auto& session : core_->sessions.all()) session->break_off();
    core_->sessions.wait_until_empty(kBreakOffTime);
  }

  std::shared_ptr<ServerCore> core_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{core_->io.get_executor()};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  tcp::endpoint endpoint_;
  std::promise<void> accepting_ended_;
  std::vector<std::thread> threads_;
};

Server::Server(const ServerOptions& options, Handler& handler, WorkerPool& pool,
               telemetry::Metrics& metrics)
    : state_(std::make_unique<State>(options, handler, pool, metrics)) {}

Server::~Server() { state_->stop(std::chrono::milliseconds(0)); }

void Server::start() { state_->start(); }

void Server::stop(std::chrono::milliseconds deadline) { state_->stop(deadline); }

uint16_t Server::port() const { return state_->port(); }

std::string Server::url() const { return state_->url(); }

}  // namespace headrace::http
