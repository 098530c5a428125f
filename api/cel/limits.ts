// The limits of CEL here: of a source, of its tree, of one evaluation and of one request.
// Invariant: whatever is written in a rule, parsing is bounded by these sizes and evaluating by these costs.

/** Code points of one expression, as upstream's parser takes them. */
export const MAX_SOURCE_LENGTH = 100_000;
/** Nodes of one expression's tree. */
export const MAX_NODES = 20_000;
/** How deep expressions may be nested; `a && b && c` is one level. */
export const MAX_NESTING = 250;
/** Compile errors that are told of one expression. */
export const MAX_ERRORS = 20;

/** Cost that one evaluation may use: about a tenth of a second. */
export const COST_PER_CALL = 1_000_000;
/** Cost that all rules of one object, or all expressions of one policy binding, may use together. */
export const COST_PER_REQUEST = 10_000_000;
/** Cost that the match conditions of one webhook or policy may use together. */
export const COST_OF_MATCH_CONDITIONS = 2_500_000;
/** Worst case that one stored rule may be estimated at. */
export const ESTIMATE_PER_RULE = 10_000_000;
/** Worst case that the rules of one stored definition may be estimated at, together. */
export const ESTIMATE_PER_DEFINITION = 100_000_000;
/** What a request may hold: bounds everything that a schema leaves unbounded in an estimate. Bytes. */
export const REQUEST_BYTES = 3 * 1024 * 1024;

/** Digits after the point that `format` may be asked for. */
export const MAX_PRECISION = 1000;
/** Characters of one text that an expression may make. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;
/** Parts of a pattern, each as often as it is repeated: bounds the time that compiling takes, to about ten milliseconds. */
export const MAX_PATTERN_SIZE = 5000;
/** The same of all patterns of one expression together. */
export const MAX_PATTERNS_SIZE = 20_000;
/** The same of all patterns in the schemas of one definition, and once more of all in its rules: two tenths of a second each. */
export const MAX_DEFINITION_PATTERNS_SIZE = 50_000;
