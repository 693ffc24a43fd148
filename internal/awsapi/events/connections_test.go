package events_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

func apiKey(name, value string) *types.CreateConnectionAuthRequestParameters {
	return &types.CreateConnectionAuthRequestParameters{ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{ApiKeyName: &name, ApiKeyValue: &value}}
}

func basic(user, password string) *types.CreateConnectionAuthRequestParameters {
	return &types.CreateConnectionAuthRequestParameters{BasicAuthParameters: &types.CreateConnectionBasicAuthRequestParameters{Username: &user, Password: &password}}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	before := time.Now().Add(-time.Second)
	created := ok[*eventbridge.CreateConnectionOutput](t)(n.CreateConnection(ctx, &eventbridge.CreateConnectionInput{Name: aws.String("key"), Description: aws.String("d"),
		AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: apiKey("X-Key", "s3cret")}))
	if created.ConnectionState != types.ConnectionStateAuthorized || created.CreationTime.Before(before) ||
		!strings.HasPrefix(*created.ConnectionArn, "arn:aws:events:us-east-1:"+owner+":connection/key/") {
		t.Errorf("created %+v", created)
	}
	describe := ok[*eventbridge.DescribeConnectionOutput](t)
	got := describe(n.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String("key")}))
	same(t, "API key", got, &eventbridge.DescribeConnectionOutput{Name: aws.String("key"), Description: aws.String("d"), ConnectionArn: created.ConnectionArn,
		ConnectionState: types.ConnectionStateAuthorized, AuthorizationType: types.ConnectionAuthorizationTypeApiKey, CreationTime: created.CreationTime,
		LastModifiedTime: created.LastModifiedTime, LastAuthorizedTime: created.LastModifiedTime,
		AuthParameters: &types.ConnectionAuthResponseParameters{ApiKeyAuthParameters: &types.ConnectionApiKeyAuthResponseParameters{ApiKeyName: aws.String("X-Key")}}})
	ok[*eventbridge.CreateConnectionOutput](t)(n.CreateConnection(ctx, &eventbridge.CreateConnectionInput{Name: aws.String("basic"),
		AuthorizationType: types.ConnectionAuthorizationTypeBasic, AuthParameters: basic("me", "pass:word")}))
	same(t, "basic", describe(n.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String("basic")})).AuthParameters,
		&types.ConnectionAuthResponseParameters{BasicAuthParameters: &types.ConnectionBasicAuthResponseParameters{Username: aws.String("me")}})

	_, err := n.CreateConnection(ctx, &eventbridge.CreateConnectionInput{Name: aws.String("key"), AuthorizationType: types.ConnectionAuthorizationTypeBasic, AuthParameters: basic("a", "b")})
	refused(t, "a name that is taken", err, "ResourceAlreadyExistsException", "Connection key already exists.")

	list := ok[*eventbridge.ListConnectionsOutput](t)
	page := list(n.ListConnections(ctx, &eventbridge.ListConnectionsInput{Limit: aws.Int32(1)}))
	same(t, "first", *page.Connections[0].Name, "basic")
	page = list(n.ListConnections(ctx, &eventbridge.ListConnectionsInput{Limit: aws.Int32(1), NextToken: page.NextToken}))
	same(t, "second", page.Connections, []types.Connection{{Name: aws.String("key"), ConnectionArn: created.ConnectionArn, ConnectionState: types.ConnectionStateAuthorized,
		AuthorizationType: types.ConnectionAuthorizationTypeApiKey, CreationTime: created.CreationTime, LastModifiedTime: created.LastModifiedTime, LastAuthorizedTime: created.LastModifiedTime}})
	same(t, "by state", len(list(n.ListConnections(ctx, &eventbridge.ListConnectionsInput{ConnectionState: types.ConnectionStateDeauthorized})).Connections), 0)
	same(t, "a stranger's", len(list(n.stranger.ListConnections(ctx, &eventbridge.ListConnectionsInput{})).Connections), 0)

	deleted := ok[*eventbridge.DeleteConnectionOutput](t)(n.DeleteConnection(ctx, &eventbridge.DeleteConnectionInput{Name: aws.String("key")}))
	if *deleted.ConnectionArn != *created.ConnectionArn || deleted.ConnectionState != types.ConnectionStateDeleting {
		t.Errorf("deleted %+v", deleted)
	}
	_, err = n.DescribeConnection(ctx, &eventbridge.DescribeConnectionInput{Name: aws.String("key")})
	refused(t, "describing what is gone", err, "ResourceNotFoundException", "Failed to describe the connection(s). Connection 'key' does not exist.")
}

func TestCreateConnectionRefuses(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for _, tc := range []struct {
		name string
		in   eventbridge.CreateConnectionInput
		want string
	}{
		{"OAuth", eventbridge.CreateConnectionInput{AuthorizationType: types.ConnectionAuthorizationTypeOauthClientCredentials, AuthParameters: apiKey("a", "b")}, "not OAuth"},
		{"the other's parameters", eventbridge.CreateConnectionInput{AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: basic("a", "b")}, "those of the AuthorizationType API_KEY"},
		{"KMS", eventbridge.CreateConnectionInput{AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: apiKey("a", "b"), KmsKeyIdentifier: aws.String("k")}, "KmsKeyIdentifier"},
		{"name of the header", eventbridge.CreateConnectionInput{AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: apiKey("a b", "b")}, "no name of an HTTP header"},
		{"line break in the secret", eventbridge.CreateConnectionInput{AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: apiKey("a", "s3cret\nx")}, "'authParameters.apiKeyAuthParameters.apiKeyValue'"},
		{"parameters for all", eventbridge.CreateConnectionInput{AuthorizationType: types.ConnectionAuthorizationTypeApiKey, AuthParameters: &types.CreateConnectionAuthRequestParameters{
			ApiKeyAuthParameters: apiKey("a", "b").ApiKeyAuthParameters, InvocationHttpParameters: &types.ConnectionHttpParameters{
				HeaderParameters: []types.ConnectionHeaderParameter{{Key: aws.String("x"), Value: aws.String("y")}}}}}, "InvocationHttpParameters"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.in.Name = aws.String("c")
			_, err := n.CreateConnection(t.Context(), &tc.in)
			if err == nil || !strings.Contains(err.Error(), "ValidationException") || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("= %v, want %q", err, tc.want)
			}
		})
	}
}

func TestAPIDestinations(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	first := n.connect(t, "a", "https://example.com/*")
	n.connect(t, "b", "http://127.0.0.1:1/")
	describe := ok[*eventbridge.DescribeApiDestinationOutput](t)
	got := describe(n.DescribeApiDestination(ctx, &eventbridge.DescribeApiDestinationInput{Name: aws.String("a")}))
	want := &eventbridge.DescribeApiDestinationOutput{Name: aws.String("a"), ApiDestinationArn: &first, ApiDestinationState: types.ApiDestinationStateActive,
		ConnectionArn: got.ConnectionArn, InvocationEndpoint: aws.String("https://example.com/*"), HttpMethod: types.ApiDestinationHttpMethodPost,
		InvocationRateLimitPerSecond: aws.Int32(300), CreationTime: got.CreationTime, LastModifiedTime: got.LastModifiedTime}
	same(t, "described", got, want)

	list := ok[*eventbridge.ListApiDestinationsOutput](t)
	page := list(n.ListApiDestinations(ctx, &eventbridge.ListApiDestinationsInput{Limit: aws.Int32(1)}))
	same(t, "first", *page.ApiDestinations[0].Name, "a")
	page = list(n.ListApiDestinations(ctx, &eventbridge.ListApiDestinationsInput{Limit: aws.Int32(1), NextToken: page.NextToken}))
	same(t, "second", *page.ApiDestinations[0].Name, "b")
	same(t, "of a connection", len(list(n.ListApiDestinations(ctx, &eventbridge.ListApiDestinationsInput{ConnectionArn: got.ConnectionArn})).ApiDestinations), 1)

	in := &eventbridge.CreateApiDestinationInput{Name: aws.String("a"), ConnectionArn: got.ConnectionArn, InvocationEndpoint: aws.String("https://example.com/"), HttpMethod: types.ApiDestinationHttpMethodPost}
	_, err := n.CreateApiDestination(ctx, in)
	refused(t, "a name that is taken", err, "ResourceAlreadyExistsException", "An api-destination 'a' already exists.")
	in.Name, in.HttpMethod = aws.String("c"), types.ApiDestinationHttpMethodGet
	_, err = n.CreateApiDestination(ctx, in)
	refused(t, "GET", err, "ValidationException", "Parameter HttpMethod is not valid. Reason: the built-in event bus calls API destinations with POST, PUT or PATCH.")
	_, err = n.stranger.CreateApiDestination(ctx, &eventbridge.CreateApiDestinationInput{Name: aws.String("a"), ConnectionArn: got.ConnectionArn,
		InvocationEndpoint: aws.String("https://example.com/"), HttpMethod: types.ApiDestinationHttpMethodPost})
	refused(t, "a stranger's connection", err, "ResourceNotFoundException", fmt.Sprintf("Connection '%s' does not exist.", *got.ConnectionArn))

	ok[*eventbridge.DeleteConnectionOutput](t)(n.DeleteConnection(ctx, &eventbridge.DeleteConnectionInput{Name: aws.String("a")}))
	same(t, "without a connection", describe(n.DescribeApiDestination(ctx, &eventbridge.DescribeApiDestinationInput{Name: aws.String("a")})).ApiDestinationState, types.ApiDestinationStateInactive)
	ok[*eventbridge.DeleteApiDestinationOutput](t)(n.DeleteApiDestination(ctx, &eventbridge.DeleteApiDestinationInput{Name: aws.String("a")}))
	_, err = n.DescribeApiDestination(ctx, &eventbridge.DescribeApiDestinationInput{Name: aws.String("a")})
	refused(t, "describing what is gone", err, "ResourceNotFoundException", "Failed to describe the api-destination(s). An api-destination 'a' does not exist.")
}

// A secret is changed in place: the API destination uses the new one from the next call on.
func TestUpdates(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	url, requests := endpoint(t)
	hook := n.connect(t, "hook", url)
	n.rule(t, "all")
	n.targets(t, "all", types.Target{Id: aws.String("t"), Arn: &hook})
	put := func() received {
		t.Helper()
		ok[*eventbridge.PutEventsOutput](t)(n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{order(`{}`)}}))
		return next(t, requests)
	}
	same(t, "secret", put().header.Get("X-Api-Key"), "s3cret")
	updated := ok[*eventbridge.UpdateConnectionOutput](t)(n.UpdateConnection(ctx, &eventbridge.UpdateConnectionInput{Name: aws.String("hook"),
		AuthParameters: &types.UpdateConnectionAuthRequestParameters{ApiKeyAuthParameters: &types.UpdateConnectionApiKeyAuthRequestParameters{ApiKeyValue: aws.String("n3w")}}}))
	same(t, "state", updated.ConnectionState, types.ConnectionStateAuthorized)
	same(t, "new secret under the old name", put().header.Get("X-Api-Key"), "n3w")
	ok[*eventbridge.UpdateConnectionOutput](t)(n.UpdateConnection(ctx, &eventbridge.UpdateConnectionInput{Name: aws.String("hook"), Description: aws.String("d"),
		AuthorizationType: types.ConnectionAuthorizationTypeBasic, AuthParameters: &types.UpdateConnectionAuthRequestParameters{
			BasicAuthParameters: &types.UpdateConnectionBasicAuthRequestParameters{Username: aws.String("user"), Password: aws.String("pass")}}}))
	got := put().header
	same(t, "basic", got.Get("Authorization")+got.Get("X-Api-Key"), "Basic dXNlcjpwYXNz")

	_, err := n.UpdateConnection(ctx, &eventbridge.UpdateConnectionInput{Name: aws.String("hook"), AuthorizationType: types.ConnectionAuthorizationTypeApiKey})
	refused(t, "another type without parameters", err, "ValidationException",
		"Parameter AuthParameters is not valid. Reason: they have to be those of the AuthorizationType API_KEY, complete, and no others.")
	_, err = n.UpdateConnection(ctx, &eventbridge.UpdateConnectionInput{Name: aws.String("hook"), AuthParameters: &types.UpdateConnectionAuthRequestParameters{
		ApiKeyAuthParameters: &types.UpdateConnectionApiKeyAuthRequestParameters{ApiKeyName: aws.String("X-Key")}}})
	refused(t, "another type without a secret", err, "ValidationException", "Parameter AuthParameters is not valid. Reason: another AuthorizationType needs its own.")
	_, err = n.UpdateConnection(ctx, &eventbridge.UpdateConnectionInput{Name: aws.String("nobody")})
	refused(t, "a connection that is not there", err, "ResourceNotFoundException", "Failed to describe the connection(s). Connection 'nobody' does not exist.")

	moved, more := endpoint(t)
	ok[*eventbridge.UpdateApiDestinationOutput](t)(n.UpdateApiDestination(ctx, &eventbridge.UpdateApiDestinationInput{Name: aws.String("hook"),
		InvocationEndpoint: &moved, HttpMethod: types.ApiDestinationHttpMethodPut, InvocationRateLimitPerSecond: aws.Int32(9), Description: aws.String("d")}))
	d := ok[*eventbridge.DescribeApiDestinationOutput](t)(n.DescribeApiDestination(ctx, &eventbridge.DescribeApiDestinationInput{Name: aws.String("hook")}))
	if *d.InvocationEndpoint != moved || d.HttpMethod != types.ApiDestinationHttpMethodPut || *d.InvocationRateLimitPerSecond != 9 || *d.Description != "d" {
		t.Errorf("updated %+v", d)
	}
	ok[*eventbridge.PutEventsOutput](t)(n.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{order(`{}`)}}))
	next(t, more)
	_, err = n.UpdateApiDestination(ctx, &eventbridge.UpdateApiDestinationInput{Name: aws.String("hook"), HttpMethod: types.ApiDestinationHttpMethodHead})
	refused(t, "HEAD", err, "ValidationException", "Parameter HttpMethod is not valid. Reason: the built-in event bus calls API destinations with POST, PUT or PATCH.")
	_, err = n.UpdateApiDestination(ctx, &eventbridge.UpdateApiDestinationInput{Name: aws.String("nobody")})
	refused(t, "an API destination that is not there", err, "ResourceNotFoundException", "Failed to describe the api-destination(s). An api-destination 'nobody' does not exist.")
}

// clientMethods are the operations of the SDK's client.
func clientMethods() (names []string) {
	t := reflect.TypeFor[*eventbridge.Client]()
	for i := range t.NumMethod() {
		names = append(names, t.Method(i).Name)
	}
	return names
}
