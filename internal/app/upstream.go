package app

import (
	"cmp"
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
type upstream struct {
	graph     *meta.Client
	templates categories // nil knows none
}

// categories know the templates of business accounts; false when one is not known.
type categories interface {
	Category(ctx context.Context, wabaKey, name, language string) (string, bool)
}

// HandOver makes one attempt. The sender's object travels as it is, with our id as its opaque data if it has none.
func (u upstream) HandOver(ctx context.Context, line account.Line, j *message.Job, body []byte) dispatch.Outcome {
	marketing := u.marketing(ctx, line, j, body)
	if !j.OwnOpaque && !j.Receipt() {
		body = message.WithOpaque(body, j.ID)
	}
	request := meta.SendRequest{PhoneNumberID: line.PhoneMetaID, Version: j.MetaVersion, Token: line.Token, Body: body, Receipt: j.Receipt(),
		Marketing: marketing}
	wamid, err := u.graph.Send(ctx, request)
	if marketing && notForMarketing(err) {
		request.Marketing = false
		wamid, err = u.graph.Send(ctx, request)
	}
	if err == nil {
		return dispatch.Outcome{Verdict: dispatch.Taken, WAMID: wamid}
	}
	return outcome(err, j.Receipt())
}

// outcome is what a failed attempt means for the message and its lane.
func outcome(err error, receipt bool) dispatch.Outcome {
	out := dispatch.Outcome{Failure: message.Failure{Code: 1, Title: unanswered, Message: unanswered, Details: err.Error()}}
	if e, ok := errors.AsType[*meta.Error](err); ok {
		out.RetryAfter = e.RetryAfter
		out.Failure = e.Failure()
	}
	switch meta.Outcome(err) {
	case meta.NotSent:
		out.Verdict = dispatch.Unreached
	case meta.Unknown, meta.Taken:
		if out.Verdict = dispatch.Unknown; receipt {
			out.Verdict = dispatch.Failed // marking something read twice does no harm
		}
	default:
		out.Verdict, out.Scope = verdict(err)
	}
	return out
}

// marketing reports whether a message goes through the Marketing Messages API: a marketing template of an account that is
// onboarded to it. What is not known to be one does not.
func (u upstream) marketing(ctx context.Context, line account.Line, j *message.Job, body []byte) bool {
	if !line.Marketing || j.Kind != message.KindTemplate || u.templates == nil {
		return false
	}
	draft, err := message.Parse(body)
	if err != nil {
		return false
	}
	category, known := u.templates.Category(ctx, line.WABAKey, draft.Template, draft.Language)
	return known && category == "MARKETING"
}

// notForMarketing reports whether the Marketing Messages API refused a message that the ordinary one may take: what was known of
// the template or the account has changed meanwhile.
func notForMarketing(err error) bool {
	e, ok := errors.AsType[*meta.Error](err)
	return ok && e.Graph && (e.Code == 10 || e.Code == 131055 || e.Code == 134100) // 10: not eligible for this endpoint
}

func verdict(err error) (dispatch.Verdict, dispatch.Scope) {
	var scope dispatch.Scope
	if e, ok := errors.AsType[*meta.Error](err); ok {
		switch e.Scope() {
		case meta.Pair:
			scope = dispatch.Pair
		case meta.Number:
			scope = dispatch.Number
		case meta.Account, meta.App:
			scope = dispatch.Shared
		}
	}
	switch meta.ClassOf(err) {
	case meta.Permanent:
		return dispatch.Refused, ""
	case meta.Blocked:
		return dispatch.Blocked, scope
	case meta.Throttled:
		return dispatch.Throttled, cmp.Or(scope, dispatch.Number)
	case meta.Credentials:
		return dispatch.Credentials, dispatch.Shared
	default:
		return dispatch.Failed, scope
	}
}
