#include "tls/trouble.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace holdfast::tls {

Trouble take_trouble() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (words == nullptr) return {};
  return {words, ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET};
}

void forget_trouble() {
  ERR_clear_error();
}

}  // namespace holdfast::tls
