package app

import (
	"context"
	"errors"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/meta"
)

// unanswered is the title of failures without a word from Meta.
const unanswered = "Meta could not be reached"

// upstream lets dispatch hand messages to Meta's Graph API.
type upstream struct{ graph *meta.Client }

// HandOver makes one attempt. The sender's object travels as it is, with our id as its opaque data if it has none.
func (u upstream) HandOver(ctx context.Context, line account.Line, j *message.Job, body []byte) dispatch.Outcome {
	if !j.OwnOpaque && !j.Receipt() {
		body = message.WithOpaque(body, j.ID)
	}
	res, err := u.graph.Send(ctx, meta.SendRequest{PhoneNumberID: line.PhoneMetaID, Version: j.MetaVersion, Token: line.Token, Body: body,
		Receipt: j.Receipt()})
	if err == nil {
		return dispatch.Outcome{Verdict: dispatch.Taken, WAMID: res.WAMID}
	}
	out := dispatch.Outcome{Failure: message.Failure{Code: 1, Title: unanswered, Message: unanswered, Details: err.Error()}}
	if e, ok := errors.AsType[*meta.Error](err); ok {
		out.RetryAfter = e.RetryAfter
		out.Failure = e.Failure()
	}
	switch meta.Outcome(err) {
	case meta.NotSent:
		out.Verdict = dispatch.Unreached
	case meta.Unknown, meta.Taken:
		if out.Verdict = dispatch.Unknown; j.Receipt() {
			out.Verdict = dispatch.Failed // marking something read twice does no harm
		}
	default:
		out.Verdict, out.Scope = verdict(err)
	}
	return out
}

func verdict(err error) (dispatch.Verdict, dispatch.Scope) {
	switch meta.ClassOf(err) {
	case meta.Permanent:
		return dispatch.Refused, ""
	case meta.Throttled:
		scope := dispatch.Number
		if e, ok := errors.AsType[*meta.Error](err); ok {
			switch e.Scope() {
			case meta.Pair:
				scope = dispatch.Pair
			case meta.Account, meta.App:
				scope = dispatch.Shared
			}
		}
		return dispatch.Throttled, scope
	case meta.Credentials:
		return dispatch.Credentials, ""
	default:
		return dispatch.Failed, ""
	}
}
