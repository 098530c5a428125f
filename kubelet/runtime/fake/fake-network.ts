// A PodNetwork without links: addresses counted up from a prefix, none given twice at a time.
import { invariant } from '../../../base/invariant.ts';
import type { PodAttachment, PodNetwork, PodNetworkNeeds } from '../../pod-network.ts';

/** Addresses that a prefix of two bytes, and of three, has for pods. */
const MAX_PODS = { two: 65_000, three: 253 } as const;

/** User ids of a pod that has its own. */
const IDS_PER_POD = 65_536;

/** Addresses `PREFIX.x.y`, or `PREFIX.y`. */
export class FakePodNetwork implements PodNetwork {
  readonly #prefix: string;
  readonly #attachments = new Map<string, PodAttachment>();
  readonly #used = new Set<number>();

  /** `prefix`: the first two bytes, such as `10.244`, or the first three. */
  constructor(prefix = '10.244') {
    this.#prefix = prefix;
  }

  async setUp(podUid: string, { ownUsers }: PodNetworkNeeds = {}): Promise<PodAttachment> {
    const known = this.#attachments.get(podUid);
    if (known) return known;
    let number = 2;
    while (this.#used.has(number)) number += 1;
    const long = this.#prefix.split('.').length === 3;
    const most = long ? MAX_PODS.three : MAX_PODS.two;
    invariant(number < most, 'a fake network has addresses for all its pods');
    this.#used.add(number);
    const ip = `${this.#prefix}.${long ? '' : `${number >> 8}.`}${number & 255}`;
    const users = { hostId: number * IDS_PER_POD, size: IDS_PER_POD };
    const attachment = { ip, netnsPath: `/fake/netns/${podUid}`, ...(ownUsers && { users }) };
    this.#attachments.set(podUid, attachment);
    return attachment;
  }

  async tearDown(podUid: string): Promise<void> {
    const attachment = this.#attachments.get(podUid);
    if (!attachment) return;
    this.#attachments.delete(podUid);
    const rest = attachment.ip
      .slice(this.#prefix.length + 1)
      .split('.')
      .map(Number);
    this.#used.delete(rest.reduce((number, byte) => number * 256 + byte, 0));
  }

  async list(): Promise<readonly { podUid: string; ip: string; netnsPath: string }[]> {
    return Array.from(this.#attachments, ([podUid, attachment]) => ({ podUid, ...attachment }));
  }
}
