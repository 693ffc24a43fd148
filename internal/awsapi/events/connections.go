package events

import (
	"cmp"
	"context"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/bus"
)

// apiKeyAuth and basicAuth have to be complete for a new connection.
type apiKeyAuth struct {
	Name  string `json:"ApiKeyName" len:"1..512"`
	Value string `json:"ApiKeyValue" len:"1..512" pattern:"[ \\t]*[^\\x00-\\x1F\\x7F]+([ \\t]+[^\\x00-\\x1F\\x7F]+)*[ \\t]*" sensitive:"true"`
}

type basicAuth struct {
	Username string `json:"Username" len:"1..512" pattern:"[ \\t]*[^\\x00-\\x1F:\\x7F]+([ \\t]+[^\\x00-\\x1F:\\x7F]+)*[ \\t]*"`
	Password string `json:"Password" len:"1..512" sensitive:"true"`
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
	if err := understood(in.Type, in.Auth, in.Connectivity, in.KMSKey); err != nil {
		return c, "", err
	}
	switch a := in.Auth; {
	case c.Type == bus.APIKey && a.APIKey != nil && a.Basic == nil && a.APIKey.Name != "" && a.APIKey.Value != "":
		c.Username, secret = a.APIKey.Name, a.APIKey.Value
	case c.Type == bus.Basic && a.Basic != nil && a.APIKey == nil && a.Basic.Username != "" && a.Basic.Password != "":
		c.Username, secret = a.Basic.Username, a.Basic.Password
	default:
		err = notOfType(c.Type)
	}
	return c, secret, err
}

func notOfType(t bus.AuthType) error {
	return invalid("AuthParameters", "they have to be those of the AuthorizationType %s, complete, and no others.", t)
}

// understood checks that everything that was said about a connection means something here.
func understood(kind string, a *authParameters, connectivity *struct{}, kmsKey string) error {
	if a == nil {
		a = &authParameters{}
	}
	switch i := a.Invocation; {
	case kind == "OAUTH_CLIENT_CREDENTIALS" || a.OAuth != nil:
		return invalid("AuthorizationType", "connections of the built-in event bus have API keys or user names, not OAuth.")
	case connectivity != nil || a.Connectivity != nil:
		return invalid("InvocationConnectivityParameters", "private APIs are not supported by the built-in event bus: see outbound.allow_hosts.")
	case kmsKey != "":
		return invalid("KmsKeyIdentifier", "the built-in event bus encrypts secrets with the server's own keys.")
	case i != nil && len(i.Header)+len(i.Query)+len(i.Body) > 0:
		return invalid("InvocationHttpParameters", "give them to the target, as HttpParameters.")
	default:
		return nil
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

type updateConnectionInput struct {
	Name         string          `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	Description  *string         `json:"Description" len:"0..512"`
	Type         string          `json:"AuthorizationType" enum:"BASIC|OAUTH_CLIENT_CREDENTIALS|API_KEY"`
	Auth         *authParameters `json:"AuthParameters"`
	Connectivity *struct{}       `json:"InvocationConnectivityParameters"`
	KMSKey       string          `json:"KmsKeyIdentifier" len:"0..2048"`
}

// changedConnection is what changing or deleting a connection answers.
type changedConnection struct {
	connectionState
	LastAuthorizedTime restjson.Time
}

func changedOf(c *bus.Connection, state string) *changedConnection {
	return &changedConnection{*stateOf(c, state), restjson.Time(c.ModifiedAt)}
}

// updateConnection changes what is given.
func (s server) updateConnection(ctx context.Context, in *updateConnectionInput) (*changedConnection, error) {
	if err := understood(in.Type, in.Auth, in.Connectivity, in.KMSKey); err != nil {
		return nil, err
	}
	var name, secret string
	kind := bus.AuthType(in.Type)
	switch a := in.Auth; {
	case a == nil || a.APIKey == nil && a.Basic == nil:
	case a.APIKey != nil && a.Basic == nil && kind != bus.Basic:
		kind, name, secret = bus.APIKey, a.APIKey.Name, a.APIKey.Value
	case a.Basic != nil && a.APIKey == nil && kind != bus.APIKey:
		kind, name, secret = bus.Basic, a.Basic.Username, a.Basic.Password
	default:
		return nil, notOfType(kind)
	}
	c, err := s.Bus.UpdateConnection(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name, secret, func(c *bus.Connection) error {
		if in.Description != nil {
			c.Description = *in.Description
		}
		if kind != "" && kind != c.Type {
			c.Type, c.Username = kind, ""
		}
		c.Username = cmp.Or(name, c.Username)
		if c.Username == "" {
			return notOfType(c.Type)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changedOf(&c, authorized), nil
}

// deleteConnection leaves API destinations that use it, which cannot be called from then on.
func (s server) deleteConnection(ctx context.Context, in *connectionInput) (*changedConnection, error) {
	c, err := s.Bus.Store.DeleteBusConnection(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name)
	if err != nil {
		return nil, err
	}
	return changedOf(&c, "DELETING"), nil
}
