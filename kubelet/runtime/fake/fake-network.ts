// A PodNetwork without links: addresses counted up from a prefix, none given twice at a time.
import { invariant } from '../../../base/invariant.ts';
import type { PodAttachment, PodNetwork } from '../../pod-network.ts';

const MAX_PODS = 65_000;

/** Addresses `PREFIX.x.y`. */
export class FakePodNetwork implements PodNetwork {
  readonly #prefix: string;
  readonly #attachments = new Map<string, PodAttachment>();
  readonly #used = new Set<number>();

  /** `prefix`: the first two bytes, such as `10.244`. */
  constructor(prefix = '10.244') {
    this.#prefix = prefix;
  }

  async setUp(podUid: string): Promise<PodAttachment> {
    const known = this.#attachments.get(podUid);
    if (known) return known;
    let number = 2;
    while (this.#used.has(number)) number += 1;
    invariant(number < MAX_PODS, 'a fake network has addresses for all its pods');
    this.#used.add(number);
    const ip = `${this.#prefix}.${number >> 8}.${number & 255}`;
    const attachment = { ip, netnsPath: `/fake/netns/${podUid}` };
    this.#attachments.set(podUid, attachment);
    return attachment;
  }

  async tearDown(podUid: string): Promise<void> {
    const attachment = this.#attachments.get(podUid);
    if (!attachment) return;
    this.#attachments.delete(podUid);
    const [third = 0, fourth = 0] = attachment.ip.split('.').slice(2).map(Number);
    this.#used.delete(third * 256 + fourth);
  }

  async list(): Promise<readonly { podUid: string; ip: string; netnsPath: string }[]> {
    return Array.from(this.#attachments, ([podUid, attachment]) => ({ podUid, ...attachment }));
  }
}
