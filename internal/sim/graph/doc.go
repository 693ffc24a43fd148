// Package graph holds the conventions of Meta's Graph API that every edge of the simulated WhatsApp shares: how parameters
// arrive (JSON, form, query), how errors are worded and coded, and the byte form of its JSON.
//
// It knows nothing of WhatsApp's state. Errors are values: an edge returns one and the router renders it.
package graph
