/// A request without its body, as bytes that belong to the caller; nil where the header or parameter is absent.
package struct RequestHead {
    package var method: UnsafeRawBufferPointer?
    /// The path, decoded, without the query.
    package var path: UnsafeRawBufferPointer?
    package var query: UnsafeRawBufferPointer?
    package var contentType: UnsafeRawBufferPointer?
    package var contentEncoding: UnsafeRawBufferPointer?
    /// The header `X-Sentry-Auth`.
    package var sentryAuthorization: UnsafeRawBufferPointer?
    package var authorization: UnsafeRawBufferPointer?
    /// The page's origin, RFC 6454, as a browser names it.
    package var origin: UnsafeRawBufferPointer?
    /// The address of the client, nginx's `$remote_addr`.
    package var remoteAddress: UnsafeRawBufferPointer?
    /// 32 hex digits, the same across nginx's retries of one request.
    package var requestID: UnsafeRawBufferPointer?
    /// The time of receipt: seconds since 1970 with three decimals, nginx's `$msec`.
    package var receivedAt: UnsafeRawBufferPointer?

    package init() {}
}
