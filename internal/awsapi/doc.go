// Package awsapi is the front door: one http.Handler that speaks the protocols of AWS.
//
// A Service is a table of operations; the credential scope of a request's signature says which service it is for. An operation
// is a row and a typed function that never sees HTTP. Everything around the functions is here, once, in this order: size
// limit, signature, throttle, binding, constraints, the function, rendering of its output or error, one log record. Packages
// below this one hold the services (socialmessaging, sts, …), the wire formats (restjson, query, awsjson) and the parts (sigv4, shape).
//
// A service on the query protocol, whole:
//
//	type createInput struct {
//		Name string            `form:"Name" required:"true" len:"1..256"`
//		Tags []tag             `form:"Tags"`       // Tags.member.N.Key, Tags.member.N.Value
//		Attr map[string]string `form:"Attributes"` // Attributes.entry.N.key, Attributes.entry.N.value
//	}
//
//	type createOutput struct {
//		TopicArn string `xml:"TopicArn"`
//	}
//
//	func Service(t Topics) awsapi.Service {
//		s := server{t}
//		return awsapi.Service{
//			Name:     "sns",
//			Protocol: query.Protocol{Namespace: "http://sns.amazonaws.com/doc/2010-03-31/"},
//			Codes:    query.Codes().With(fault.InvalidParameters, "InvalidParameter", 400),
//			Operations: []awsapi.Operation{
//				{Name: "CreateTopic", Do: awsapi.Op(s.create), Rate: 30},
//			},
//		}
//	}
//
//	func (s server) create(ctx context.Context, in *createInput) (*createOutput, error) {
//		account := awsapi.From(ctx).Caller.AccountID
//		…
//	}
//
// An output of type struct{} renders as a response without a result. The tags of inputs are documented in package shape;
// outputs use those of encoding/json and encoding/xml. Functions return faults; the service's Codes name them on the wire.
// A function that needs a code outside that table returns an *Error.
package awsapi
