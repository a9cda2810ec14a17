#pragma once

// Builds a Tree from the events of the YAML parser, within limits. Private to this module.

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/tree.h"
#include "config/yaml.h"

namespace headrace::config {

struct Place {
  int line = 0;  // from 1
  int column = 0;
};

// Reading cannot go on: thrown through the YAML library, caught in parse_yaml.
struct StopParsing {};

class TreeBuilder {
 public:
  TreeBuilder(const std::string& file, Problems& problems, const Environment& environment,
              const YamlLimits& limits);

  // `anchor` is 0 for none.
  void null_value(Place place, size_t anchor);
  void scalar(Place place, size_t anchor, const std::string& text, bool quoted);
  void alias(Place place, size_t anchor);
  void begin(NodeKind list_or_map, Place place, size_t anchor);
  void end();

  [[noreturn]] void stop(Place place, std::string message, std::string suggestion = "");
  // The root; kNull when there was nothing.
  Node finish();
  Node broken();

 private:
  struct Open {
    TreeNode* node;
    size_t anchor = 0;
    bool has_key = false;  // of a map: the next value belongs to `key`
    std::string key;
    Place key_place;
    std::unordered_map<std::string, TreeNode*> by_key;
    std::vector<TreeNode*> merged;  // values of << keys
  };

  void report(Place place, std::string message, std::string suggestion = "");
  bool wants_key() const;
  void take_key(Place place, const std::string& text);
  TreeNode* add(NodeKind kind, Place place);
  TreeNode* attach_to_map(Open& open, TreeNode* node);
  TreeNode* make(NodeKind kind, Place place);
  TreeNode* copy(const TreeNode& from, TreeNode* parent, Place place);
  void count_repeated(const TreeNode& from, Place place);
  void set_text(TreeNode& node, const std::string& text, bool quoted);
  void remember(size_t anchor, TreeNode* node);
  void merge(Open& open);
  void merge_map(Open& open, const TreeNode& from);

  std::shared_ptr<Tree> tree_;
  Problems& problems_;
  const Environment& environment_;
  const YamlLimits& limits_;
  std::vector<Open> open_;
  std::unordered_map<size_t, const TreeNode*> anchors_;
  TreeNode* root_ = nullptr;
  size_t repeated_bytes_ = 0;  // text that aliases have copied
};

}  // namespace headrace::config
