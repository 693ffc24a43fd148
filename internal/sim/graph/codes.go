package graph

import "net/http"

// Code is what Meta publishes about an error number.
type Code struct {
	Title     string
	HTTP      int
	Async     bool   // reported by a failed status, after the call was accepted
	Bare      string // the whole message where Meta adds no "(#code)" prefix
	Transient bool
	Subcode   int
}

// Lookup returns what is known of a code; an unknown one is a plain bad request.
func Lookup(code int) Code {
	if k, ok := codes[code]; ok {
		if k.HTTP == 0 {
			k.HTTP = http.StatusBadRequest
		}
		return k
	}
	return Code{Title: "Unknown error", HTTP: http.StatusBadRequest}
}

// codes lists Meta's messaging error codes: title, HTTP status where it is not 400, and whether they come later. Meta stopped
// publishing a status per code in 2026; the figures are those of its older table and of captured traffic.
var codes = map[int]Code{
	0:      {Title: "AuthException", HTTP: 401},
	1:      {Title: "API Unknown", HTTP: 500, Bare: "An unknown error has occurred.", Transient: true},
	2:      {Title: "API Service", HTTP: 503, Bare: "Service temporarily unavailable", Transient: true},
	3:      {Title: "API Method", HTTP: 500},
	4:      {Title: "Application request limit reached", HTTP: 429},
	10:     {Title: "Application does not have permission for this action", HTTP: 403},
	33:     {Title: "Parameter value is not valid"},
	100:    {Title: "Invalid parameter"},
	104:    {Title: "Valid signature required"},
	190:    {Title: "Access token has expired", HTTP: 401, Bare: "Error validating access token: Session has expired.", Subcode: 463},
	200:    {Title: "Permissions error", HTTP: 403},
	368:    {Title: "Temporarily blocked for policies violations", HTTP: 403},
	613:    {Title: "Calls to this api have exceeded the rate limit."},
	1026:   {Title: "Receiver incapable", Async: true},
	2200:   {Title: "Callback verification failed"},
	2500:   {Title: "Unknown path components"},
	80007:  {Title: "Rate limit issues"},
	130403: {Title: "Business has blocked this user", Async: true},
	130429: {Title: "Rate limit hit", HTTP: 429},
	130472: {Title: "User's number is part of an experiment", Async: true},
	130497: {Title: "Business account is restricted from messaging users in this country.", HTTP: 403},
	131000: {Title: "Something went wrong", HTTP: 500},
	131005: {Title: "Access denied", HTTP: 403},
	131008: {Title: "Required parameter is missing"},
	131009: {Title: "Parameter value is not valid", Subcode: SubcodeParameter},
	131016: {Title: "Service unavailable", HTTP: 500},
	131020: {Title: "Invalid group"},
	131021: {Title: "Recipient cannot be sender"},
	131026: {Title: "Message undeliverable", Async: true},
	131030: {Title: "Recipient phone number not in allowed list"},
	131031: {Title: "Account has been locked", HTTP: 403},
	131037: {Title: "WhatsApp provided number needs display name approval before message can be sent."},
	131041: {Title: "Unknown group"},
	131042: {Title: "Business eligibility payment issue", Async: true},
	131044: {Title: "Business eligibility payment issue"},
	131045: {Title: "Incorrect certificate", HTTP: 500},
	131047: {Title: "Re-engagement message", Async: true},
	131048: {Title: "Spam rate limit hit", Async: true},
	131049: {Title: "This message was not delivered to maintain healthy ecosystem engagement.", Async: true},
	131050: {Title: "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp from your business", Async: true},
	131051: {Title: "Unsupported message type"},
	131052: {Title: "Media download error", Async: true},
	131053: {Title: "Media upload error", Async: true},
	131055: {Title: "Method not allowed"},
	131056: {Title: "(Business Account, Consumer Account) pair rate limit hit"},
	131057: {Title: "Account in maintenance mode", HTTP: 500},
	131062: {Title: "Business-scoped user id recipients are not supported for this message"},
	131063: {Title: "Marketing templates are disabled on Cloud API"},
	131064: {Title: "Messaging limit reached because of template misclassification"},
	132000: {Title: "Number of parameters does not match the expected number of params"},
	132001: {Title: "Template name does not exist in the translation", HTTP: 404},
	132005: {Title: "Translated text too long"},
	132007: {Title: "Template format character policy violated"},
	132008: {Title: "Template parameter value is not valid"},
	132012: {Title: "Parameter format does not match format in the created template"},
	132015: {Title: "Template is paused"},
	132016: {Title: "Template is disabled"},
	132018: {Title: "There was an issue with the parameters in your template"},
	132068: {Title: "Flow is in blocked state"},
	132069: {Title: "Flow is in throttled state"},
	133000: {Title: "Deregistration failed", HTTP: 500},
	133004: {Title: "Server is temporarily unavailable", HTTP: 503},
	133005: {Title: "Two step verification PIN mismatch"},
	133006: {Title: "Phone number re-verification needed"},
	133008: {Title: "Too many two step verification PIN guesses"},
	133009: {Title: "Two step verification PIN guessed too fast"},
	133010: {Title: "Account not registered"},
	133015: {Title: "Phone number was recently deleted"},
	133016: {Title: "Account register/deregister rate limit exceeded"},
	134011: {Title: "WhatsApp Payments terms of service has not been accepted"},
	134100: {Title: "Only marketing messages are supported"},
	134101: {Title: "Template is still syncing"},
	134102: {Title: "Template is unavailable for use", HTTP: 500},
	135000: {Title: "Generic user error"},
	136024: {Title: "Verification code not valid"},
	136025: {Title: "Verification code not sent"},
	137000: {Title: "Recipient identity key hash mismatch", Async: true},
	138000: {Title: "Calling not enabled"},
	138001: {Title: "Receiver uncallable"},
	138002: {Title: "Concurrent calls limit"},
	138003: {Title: "Duplicate call"},
	138004: {Title: "Connection error"},
	138005: {Title: "Call rate limit exceeded"},
	138006: {Title: "No approved call permission from the recipient"},
	138007: {Title: "Connection timeout error"},
	138009: {Title: "Call permission request limit hit"},
	138012: {Title: "Business-initiated calls limit hit"},
	138013: {Title: "Business-initiated calling is not available"},
	138018: {Title: "Calling cannot be enabled"},
	139000: {Title: "Blocked by Integrity"},
	139001: {Title: "Updating attempt failed"},
	139002: {Title: "Publishing failed"},
	139003: {Title: "Deprecating failed"},
	139004: {Title: "Deleting failed"},
}
