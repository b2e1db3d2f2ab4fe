// fmt's own functions, compiled here: Debian has them as a shared library only, and what is loaded
// before main() is time in which nobody answers a signal. Their headers declare these as
// compiled elsewhere.

#include <fmt/format-inl.h>

namespace fmt::detail {

template std::locale locale_ref::get<std::locale>() const;
template thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template char decimal_point_impl<char>(locale_ref);
#if FMT_VERSION >= 100000 && FMT_VERSION < 110000
template void vformat_to(buffer<char>&, string_view, vformat_args<>::type, locale_ref);
#endif

}  // namespace fmt::detail
