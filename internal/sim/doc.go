// Package sim is a simulated WhatsApp: a hostile, deterministic twin of Meta's Cloud API for messages and webhooks, for
// development, tests and load tests. Nothing it holds survives the process, and every reply says that it is a simulator.
//
// One handler serves two things on one port. The Graph API (/v25.0/{phone-number-id}/messages and its neighbours, with or
// without a version) checks what Meta checks, in Meta's order and with Meta's error bodies; a 200 means accepted, and most
// delivery faults come later as a failed status. The control API (/sim/v1/…) plays everybody else: customers who write, read
// and block, faults by rule, settings, and ledgers to compare with.
//
// Edges are rows of one table (edges.go), control calls are rows of another (control.go). Package graph has the conventions of
// Meta's wire, content the checks of a payload, definition those of a template, flowjson those of a Flow, courier the delivery of
// webhooks.
package sim
