package events

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/bus"
)

type apiKeyAuth struct {
	Name  string `json:"ApiKeyName" required:"true" len:"1..512"`
	Value string `json:"ApiKeyValue" required:"true" len:"1..512" pattern:"[ \\t]*[^\\x00-\\x1F\\x7F]+([ \\t]+[^\\x00-\\x1F\\x7F]+)*[ \\t]*" sensitive:"true"`
}

type basicAuth struct {
	Username string `json:"Username" required:"true" len:"1..512" pattern:"[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*"`
	Password string `json:"Password" required:"true" len:"1..512" sensitive:"true"`
}

type invocationParameters struct {
	Header []struct{} `json:"HeaderParameters"`
	Query  []struct{} `json:"QueryStringParameters"`
	Body   []struct{} `json:"BodyParameters"`
}

type authParameters struct {
	APIKey       *apiKeyAuth           `json:"ApiKeyAuthParameters"`
	Basic        *basicAuth            `json:"BasicAuthParameters"`
	OAuth        *struct{}             `json:"OAuthParameters"`
	Invocation   *invocationParameters `json:"InvocationHttpParameters"`
	Connectivity *struct{}             `json:"ConnectivityParameters"`
}

type createConnectionInput struct {
	Name         string          `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	Description  string          `json:"Description" len:"0..512"`
	Type         string          `json:"AuthorizationType" required:"true" enum:"BASIC|OAUTH_CLIENT_CREDENTIALS|API_KEY"`
	Auth         *authParameters `json:"AuthParameters" required:"true"`
	Connectivity *struct{}       `json:"InvocationConnectivityParameters"`
	KMSKey       string          `json:"KmsKeyIdentifier" len:"0..2048"`
}

// authorized is the state of every connection: there is nothing to wait for.
const authorized = "AUTHORIZED"

// connectionState is what changing a connection answers.
type connectionState struct {
	ARN              string `json:"ConnectionArn"`
	State            string `json:"ConnectionState"`
	CreationTime     restjson.Time
	LastModifiedTime restjson.Time
}

func (s server) createConnection(ctx context.Context, in *createConnectionInput) (*connectionState, error) {
	c, secret, err := in.read()
	if err != nil {
		return nil, err
	}
	if c, err = s.Bus.CreateConnection(ctx, awsapi.CallerFrom(ctx).AccountID, c, secret); err != nil {
		return nil, err
	}
	return stateOf(&c, authorized), nil
}

func stateOf(c *bus.Connection, state string) *connectionState {
	return &connectionState{c.ARN, state, restjson.Time(c.CreatedAt), restjson.Time(c.ModifiedAt)}
}

// read makes of it what the domain knows.
func (in *createConnectionInput) read() (c bus.Connection, secret string, err error) {
	c = bus.Connection{Name: in.Name, Description: in.Description, Type: bus.AuthType(in.Type)}
	switch a := in.Auth; {
	case in.Type == "OAUTH_CLIENT_CREDENTIALS" || a.OAuth != nil:
		return c, "", invalid("AuthorizationType", "connections of the built-in event bus have API keys or user names, not OAuth.")
	case in.Connectivity != nil || a.Connectivity != nil:
		return c, "", invalid("InvocationConnectivityParameters", "private APIs are not supported by the built-in event bus: see outbound.allow_hosts.")
	case in.KMSKey != "":
		return c, "", invalid("KmsKeyIdentifier", "the built-in event bus encrypts secrets with the server's own keys.")
	case a.Invocation != nil && len(a.Invocation.Header)+len(a.Invocation.Query)+len(a.Invocation.Body) > 0:
		return c, "", invalid("InvocationHttpParameters", "give them to the target, as HttpParameters.")
	case c.Type == bus.APIKey && a.APIKey != nil && a.Basic == nil:
		c.Username = a.APIKey.Name
		return c, a.APIKey.Value, nil
	case c.Type == bus.Basic && a.Basic != nil && a.APIKey == nil:
		c.Username = a.Basic.Username
		return c, a.Basic.Password, nil
	default:
		return c, "", invalid("AuthParameters", "they have to be those of the AuthorizationType %s, and no others.", in.Type)
	}
}

type connectionInput struct {
	Name string `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
}

// connection is a connection on the wire. Its secret never is.
type connection struct {
	ARN                string `json:"ConnectionArn"`
	Name               string
	State              string       `json:"ConnectionState"`
	Type               bus.AuthType `json:"AuthorizationType"`
	CreationTime       restjson.Time
	LastModifiedTime   restjson.Time
	LastAuthorizedTime restjson.Time
}

func connectionOf(c *bus.Connection) connection {
	return connection{ARN: c.ARN, Name: c.Name, State: authorized, Type: c.Type, CreationTime: restjson.Time(c.CreatedAt),
		LastModifiedTime: restjson.Time(c.ModifiedAt), LastAuthorizedTime: restjson.Time(c.ModifiedAt)}
}

type describeConnectionOutput struct {
	connection
	Description string `json:",omitempty"`
	Auth        struct {
		APIKey *apiKeyName `json:"ApiKeyAuthParameters,omitempty"`
		Basic  *username   `json:"BasicAuthParameters,omitempty"`
	} `json:"AuthParameters"`
}

type apiKeyName struct {
	Name string `json:"ApiKeyName"`
}

type username struct{ Username string }

func (s server) describeConnection(ctx context.Context, in *connectionInput) (*describeConnectionOutput, error) {
	c, err := s.Bus.Store.BusConnection(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name)
	if err != nil {
		return nil, err
	}
	out := &describeConnectionOutput{connection: connectionOf(&c), Description: c.Description}
	if c.Type == bus.Basic {
		out.Auth.Basic = &username{c.Username}
	} else {
		out.Auth.APIKey = &apiKeyName{c.Username}
	}
	return out, nil
}

type listConnectionsInput struct {
	NamePrefix string `json:"NamePrefix" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	State      string `json:"ConnectionState" enum:"CREATING|UPDATING|DELETING|AUTHORIZED|DEAUTHORIZED|AUTHORIZING|DEAUTHORIZING|ACTIVE|FAILED_CONNECTIVITY"`
	NextToken  string `json:"NextToken" len:"1..2048"`
	Limit      int    `json:"Limit" range:"1..100"`
}

type listConnectionsOutput struct {
	Connections []connection
	NextToken   string `json:",omitempty"`
}

func (s server) listConnections(ctx context.Context, in *listConnectionsInput) (*listConnectionsOutput, error) {
	out := &listConnectionsOutput{Connections: []connection{}}
	if in.State != "" && in.State != authorized {
		return out, nil
	}
	accountID := awsapi.CallerFrom(ctx).AccountID
	found, next, err := list(ctx, s.Pages, in.NextToken, in.Limit, []string{in.NamePrefix, in.State}, func(c *bus.Connection) string { return c.Name },
		func(after string, limit int) ([]bus.Connection, error) {
			return s.Bus.Store.BusConnections(ctx, accountID, in.NamePrefix, after, limit)
		})
	if err != nil {
		return nil, err
	}
	for i := range found {
		out.Connections = append(out.Connections, connectionOf(&found[i]))
	}
	out.NextToken = next
	return out, nil
}

type deleteConnectionOutput struct {
	connectionState
	LastAuthorizedTime restjson.Time
}

// deleteConnection leaves API destinations that use it, which cannot be called from then on.
func (s server) deleteConnection(ctx context.Context, in *connectionInput) (*deleteConnectionOutput, error) {
	c, err := s.Bus.Store.DeleteBusConnection(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name)
	if err != nil {
		return nil, err
	}
	return &deleteConnectionOutput{*stateOf(&c, "DELETING"), restjson.Time(c.ModifiedAt)}, nil
}
