#pragma once
// SHA-256, for figures that anybody can check with sha256sum(1).
//
// Thread   one at a time.

#include <memory>
#include <string>
#include <string_view>

typedef struct evp_md_ctx_st EVP_MD_CTX;

namespace penstock::e2e {

// Of bytes that come in pieces.
class Digest {
 public:
  Digest();
  void add(std::string_view bytes);
  // In hexadecimal; more may be added afterwards.
  std::string text() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// In hexadecimal.
std::string sha256(std::string_view bytes);

}  // namespace penstock::e2e
