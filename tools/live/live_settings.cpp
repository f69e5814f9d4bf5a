#include "live_settings.h"

namespace caffe2rt {

std::string without_password(std::string text, const std::string& uri) {
  const size_t scheme = uri.find("://");
  if (scheme == std::string::npos) return text;
  const size_t host_end = uri.find_first_of("/?#", scheme + 3);
  const size_t at = uri.substr(0, host_end).rfind('@');
  const size_t colon = uri.find(':', scheme + 3);
  if (at == std::string::npos || colon > at) return text;
  // With ':' and '@': a short password may be part of a word.
  const std::string secret = uri.substr(colon, at + 1 - colon), shown = ":***@";
  for (size_t i = text.find(secret); i != std::string::npos; i = text.find(secret, i + shown.size()))
    text.replace(i, secret.size(), shown);
  return text;
}

}  // namespace caffe2rt
