// A module of its own, because not every module proxy serves the SDK's client for social-messaging: TestGoSDKOfSocialMessaging, one
// folder up, runs these tests where it can be had.
module github.com/waxwing-messaging/waxwing/test/compat/gosdk

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2 v1.47.7
	github.com/aws/aws-sdk-go-v2/credentials v1.20.14
	github.com/aws/aws-sdk-go-v2/service/socialmessaging v1.8.6
)
