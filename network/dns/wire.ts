// DNS messages as bytes (RFC 1035). Wraps dns-packet; nothing else in this room imports it.
import packet from 'dns-packet';

export type Question = packet.Question;
export type Answer = packet.Answer;
export type Packet = packet.Packet;

/** Response codes in use (RFC 1035, section 4.1.1). */
export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
};

/** Largest answer over UDP where the asker names no size. */
const UDP_SIZE = 512;

/** A message off the wire; undefined when it is malformed. */
export function decodeQuery(bytes: Buffer): Packet | undefined {
  try {
    return packet.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A question of another name, with the id and wishes of the query that it comes from. */
export function encodeQuestion(
  query: Packet,
  question: { name: string; type: Question['type'] },
): Buffer {
  return packet.encode({
    type: 'query',
    id: query.id ?? 0,
    flags: (query.flags ?? 0) & packet.RECURSION_DESIRED,
    questions: [{ ...question, class: 'IN' }],
  });
}

/** The answer to a query as bytes; cut short with the TC flag when it is larger than UDP takes. */
export function encodeAnswer(
  query: Packet,
  outcome: { rcode: number; answers: readonly Answer[]; authorities?: readonly Answer[] },
  transport: 'udp' | 'tcp',
): Buffer {
  const flags =
    packet.AUTHORITATIVE_ANSWER |
    packet.RECURSION_AVAILABLE |
    ((query.flags ?? 0) & packet.RECURSION_DESIRED);
  const message = (answers: readonly Answer[], extra: number): Buffer =>
    packet.encode({
      type: 'response',
      id: query.id ?? 0,
      flags: flags | extra | outcome.rcode,
      questions: query.questions ?? [],
      answers: [...answers],
      authorities: [...(outcome.authorities ?? [])],
    });
  const whole = message(outcome.answers, 0);
  if (transport === 'tcp' || whole.length <= udpSize(query)) return whole;
  return message([], packet.TRUNCATED_RESPONSE);
}

function udpSize(query: Packet): number {
  const option = query.additionals?.find((record) => record.type === 'OPT');
  return option && 'udpPayloadSize' in option
    ? Math.max(UDP_SIZE, option.udpPayloadSize)
    : UDP_SIZE;
}
