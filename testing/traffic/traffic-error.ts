// What is wrong with a traffic simulation as it was asked for.
// Invariant: the message says where the fault is and what mends it; a fault of this program is never told as one of these.

/** A curve, a service or a variant that cannot be simulated. `cause` is the server's own failure where it refused something. */
export class TrafficError extends Error {
  override readonly name = 'TrafficError';
}
