#pragma once

// The storage behind Node. Private to this module.

#include <deque>
#include <string>
#include <vector>

#include "config/node.h"

namespace headrace::config {

struct TreeNode {
  NodeKind kind = NodeKind::kNull;
  std::string text;
  std::string written;  // empty when it is the same as text
  bool quoted = false;
  const TreeNode* parent = nullptr;
  std::string key;   // in a map
  size_t index = 0;  // in a list
  int line = 0;
  int column = 0;
  int key_line = 0;
  int key_column = 0;
  std::vector<TreeNode*> children;
};

struct Tree {
  std::string file;
  std::deque<TreeNode> nodes;  // addresses stay as it grows
};

}  // namespace headrace::config
