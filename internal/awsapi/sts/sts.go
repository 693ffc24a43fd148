// Package sts is the front door's subset of AWS Security Token Service: GetCallerIdentity, everyone's first command.
package sts

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/query"
)

// Service returns the table of operations.
func Service() awsapi.Service {
	return awsapi.Service{
		Name:     "sts",
		Global:   true,
		Protocol: query.Protocol{Namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
		Codes:    query.Codes(),
		Operations: []awsapi.Operation{
			{Name: "GetCallerIdentity", Do: awsapi.Op(getCallerIdentity), Rate: 600},
		},
	}
}

type identity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

func getCallerIdentity(ctx context.Context, _ *struct{}) (*identity, error) {
	caller := awsapi.CallerFrom(ctx)
	return &identity{Arn: caller.ARN, UserID: caller.PrincipalID, Account: caller.AccountID}, nil
}
