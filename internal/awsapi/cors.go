package awsapi

import "net/http"

// What the service model declares for browsers, and the header that names operations in AWS's other JSON protocol. Any origin may
// call, since nothing is granted by where a page comes from: every request is signed.
const (
	corsAllowHeaders = "authorization,content-type,content-length,x-amz-date,x-amz-security-token,x-amz-content-sha256," +
		"x-amz-target,x-amz-user-agent,x-amzn-platform-id,x-amzn-trace-id,x-api-key,amz-sdk-request,amz-sdk-invocation-id,Csrf-Token"
	corsExposeHeaders = "x-amzn-errortype,x-amzn-requestid,x-amzn-trace-id,Csrf-Token"
	corsAllowMethods  = "GET,POST,PUT,DELETE"
	corsMaxAge        = "86400"
)

// allowOrigin lets the page that made a request read the answer.
func allowOrigin(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", corsExposeHeaders)
}

// preflight answers a browser that asks before it calls. Such requests are never signed.
func preflight(h http.Header) {
	h.Set("Access-Control-Allow-Methods", corsAllowMethods)
	h.Set("Access-Control-Allow-Headers", corsAllowHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	h.Set("Content-Length", "0")
}
