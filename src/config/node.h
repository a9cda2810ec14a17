#pragma once

// A parsed YAML file as a tree that knows where each value stands. Immutable.
//
// A Node is a cheap handle that keeps its whole tree alive: it may be copied, kept beside the
// struct it was read into, and used to report a problem that is found only later.
// Thread use: any number of threads may read.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace headrace::config {

enum class NodeKind {
  kNull,    // `key:` with nothing behind it, `~` or `null`
  kScalar,  // text, numbers, true and false: what it means is for the reader to say
  kList,
  kMap,
  kBroken,  // was reported while parsing; readers take the default and stay silent
};

struct Tree;
struct TreeNode;

class Node {
 public:
  // An absent value: kNull without place.
  Node();
  // For the parser: `node` must belong to `tree`.
  Node(std::shared_ptr<const Tree> tree, const TreeNode* node);

  NodeKind kind() const;
  bool is_null() const { return kind() == NodeKind::kNull; }
  bool is_scalar() const { return kind() == NodeKind::kScalar; }
  bool is_list() const { return kind() == NodeKind::kList; }
  bool is_map() const { return kind() == NodeKind::kMap; }
  bool is_broken() const { return kind() == NodeKind::kBroken; }

  // A scalar's text with its ${VARIABLES} replaced; empty for the other kinds.
  const std::string& text() const;
  // The same as it was written, so that it can be shown: values of variables may be secret.
  const std::string& written_text() const;
  // Was it written in quotes (or as a block), so that it is text whatever it looks like?
  bool is_quoted() const;

  // A list's elements or a map's values, in the order of the file.
  size_t size() const;
  Node operator[](size_t index) const;
  std::vector<Node> elements() const;
  // Entries of a map, in the order of the file.
  std::vector<std::pair<std::string, Node>> entries() const;
  std::vector<std::string> keys() const;
  // A map's value; nullopt when there is no such key, or this is no map.
  std::optional<Node> find(std::string_view key) const;
  // The same for reporting: the value, or this node itself when the key is missing.
  Node find_or_self(std::string_view key) const;

  const std::string& file() const;
  std::string path() const;  // nodes.silver.partition_by[0]; empty for the root
  std::string key() const;   // the last step of the path; empty for the root
  int line() const;          // from 1; 0 for an absent value
  int column() const;        // from 1
  // Where the key of this value stands in its map; the value itself outside a map.
  int key_line() const;
  int key_column() const;

  // Plain scalars become null, booleans and numbers as in YAML 1.2, the rest text.
  Json to_json() const;
  // The same with variables unreplaced: for showing, comparing and storing.
  Json to_written_json() const;

 private:
  std::shared_ptr<const Tree> tree_;
  const TreeNode* node_;
};

// A parsed file.
class Document {
 public:
  explicit Document(Node root) : root_(std::move(root)) {}
  // kBroken when the file could not be parsed, kNull when it is empty.
  const Node& root() const { return root_; }

 private:
  Node root_;
};

// What a node is, for messages: "a list", "the text 'abc'", "a map", "nothing".
std::string describe(const Node& node);

}  // namespace headrace::config
