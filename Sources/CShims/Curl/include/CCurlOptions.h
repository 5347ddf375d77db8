// The variadic functions of libcurl, which Swift cannot call, once for each type of argument.
#pragma once

#include <curl/curl.h>
#include <stddef.h>

/// curl_easy_setopt(3) of an option that takes a string, which is copied; the size does not count for
/// CURLOPT_COPYPOSTFIELDS: set CURLOPT_POSTFIELDSIZE first.
CURLcode mesher_curl_set_text(CURL *handle, CURLoption option, const char *value);

/// curl_easy_setopt(3) of an option that takes a long.
CURLcode mesher_curl_set_number(CURL *handle, CURLoption option, long value);

/// curl_easy_setopt(3) of an option that takes a list, which must live as long as the handle uses it.
CURLcode mesher_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);

/// CURLOPT_WRITEFUNCTION(3) and CURLOPT_WRITEDATA(3).
CURLcode mesher_curl_set_sink(CURL *handle, size_t (*sink)(char *, size_t, size_t, void *), void *context);

/// curl_easy_getinfo(3) with CURLINFO_RESPONSE_CODE: the status of the last answer, 0 when there was none.
long mesher_curl_status(CURL *handle);

/// curl_easy_getinfo(3) with CURLINFO_RETRY_AFTER: seconds, 0 when the answer names none.
long mesher_curl_retry_after(CURL *handle);

/// curl_easy_getinfo(3) with CURLINFO_ACTIVESOCKET: the socket of a handle that only connects, -1 when there is none.
int mesher_curl_socket(CURL *handle);
