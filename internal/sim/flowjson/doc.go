// Package flowjson checks Flow JSON, the language in which WhatsApp Flows are written, the way Meta's Flow service does: it
// reports every problem with Meta's code for it and the place in the text.
//
// It knows the versions that can be published, the components with their properties and limits, actions, the data model of
// screens and references into it, and the routes between screens. Sources: Meta's Flow JSON reference, its list of static
// validation errors and its changelog, as of September 2026. What Meta does not document is not refused.
package flowjson
