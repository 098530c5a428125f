// Connects pods by routed veth pairs: a /32 address in the pod, a host route to it, no bridge, no ARP for the gateway.
// Invariant: what is attached is written to a file per pod before the link exists, and again once all of it is there, so a crash
// leaves nothing unknown and nothing half made is taken for whole.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../../system/system.ts';
import { CommandError } from '../../system/system.ts';
import { linkName, namespaceName, type NetworkLayout, POD_GATEWAY } from '../layout.ts';
import { linkNames } from '../links.ts';
import { AddressPool } from './addresses.ts';

/** A pod's place in the network; the shape that the node agent's PodNetwork wants. */
export interface Attachment {
  readonly podUid: string;
  readonly netnsPath: string;
  readonly ip: string;
}

/** What the file of a pod holds. */
interface AttachmentRecord extends Attachment {
  /** Only until all of it is there. */
  readonly connecting?: true;
}

/** Where nsfs files of named namespaces are. */
const NAMESPACE_DIR = '/run/netns';

/** Attaches and detaches pods of one node. Calls for one pod must not overlap. */
export class RoutedPodNetwork {
  readonly #system: System;
  readonly #layout: NetworkLayout;
  readonly #folder: string;
  readonly #pool: AddressPool;
  readonly #attached = new Map<string, AttachmentRecord>();

  constructor(options: { system: System; layout: NetworkLayout; stateDir: string }) {
    this.#system = options.system;
    this.#layout = options.layout;
    this.#folder = join(options.stateDir, 'pods');
    this.#pool = new AddressPool(options.layout.nodePodCidr);
    mkdirSync(this.#folder, { recursive: true });
    for (const file of readdirSync(this.#folder)) this.#adopt(join(this.#folder, file));
  }

  /** Namespace, link and address of a pod, made now or made before. */
  async setUp(podUid: string): Promise<Attachment> {
    const known = this.#attached.get(podUid);
    if (known && (await this.#stands(known))) return known;
    if (known) await this.tearDown(podUid);
    const attachment: Attachment = {
      podUid,
      netnsPath: `${NAMESPACE_DIR}/${namespaceName(this.#layout, podUid)}`,
      ip: this.#pool.take(),
    };
    this.#record({ ...attachment, connecting: true });
    try {
      await this.#connect(attachment);
      this.#record(attachment);
    } catch (error) {
      await this.tearDown(podUid);
      throw error;
    }
    return attachment;
  }

  /** Removes link, namespace and address; quiet when there are none. */
  async tearDown(podUid: string): Promise<void> {
    const attachment = this.#attached.get(podUid);
    if (!attachment) return;
    await this.#quietly('ip', ['link', 'delete', linkName(this.#layout, attachment.ip)]);
    await this.#quietly('ip', ['netns', 'delete', namespaceName(this.#layout, podUid)]);
    rmSync(this.#file(podUid), { force: true });
    this.#attached.delete(podUid);
    this.#pool.release(attachment.ip);
  }

  /** The address of a pod that is attached. */
  addressOf(podUid: string): string | undefined {
    return this.#attached.get(podUid)?.ip;
  }

  list(): Promise<readonly Attachment[]> {
    return Promise.resolve([...this.#attached.values()]);
  }

  async #connect(attachment: Attachment): Promise<void> {
    const name = namespaceName(this.#layout, attachment.podUid);
    const link = linkName(this.#layout, attachment.ip);
    const mac = hostMac(attachment.ip);
    await this.#quietly('ip', ['link', 'delete', link]);
    await this.#quietly('ip', ['netns', 'delete', name]);
    const host = [
      `netns add ${name}`,
      `link add ${link} address ${mac} type veth peer name eth0 netns ${name}`,
      `link set ${link} up`,
    ];
    await this.#system.run('ip', ['-batch', '-'], { input: `${host.join('\n')}\n` });
    const pod = [
      'link set lo up',
      `address add ${attachment.ip}/32 dev eth0`,
      'link set eth0 up',
      `route add ${POD_GATEWAY} dev eth0 scope link`,
      `neigh add ${POD_GATEWAY} lladdr ${mac} dev eth0 nud permanent`,
      `route add default via ${POD_GATEWAY} dev eth0`,
    ];
    await this.#system.run('ip', ['-n', name, '-batch', '-'], { input: `${pod.join('\n')}\n` });
    // Lets a connection to 127.0.0.1:NODEPORT leave through the pod's link.
    this.#system.write(`/proc/sys/net/ipv4/conf/${link}/route_localnet`, '1');
    const route = `${attachment.ip}/32 dev ${link} src ${this.#layout.nodeIp}`;
    await this.#system.run('ip', ['route', 'replace', ...route.split(' ')]);
  }

  async #stands(attachment: AttachmentRecord): Promise<boolean> {
    if (attachment.connecting) return false;
    const links = await linkNames(this.#system);
    return (
      this.#system.exists(attachment.netnsPath) &&
      links.includes(linkName(this.#layout, attachment.ip))
    );
  }

  #file(podUid: string): string {
    return join(this.#folder, `${podUid}.json`);
  }

  #record(attachment: AttachmentRecord): void {
    this.#attached.set(attachment.podUid, attachment);
    const file = this.#file(attachment.podUid);
    writeFileSync(`${file}.new`, JSON.stringify(attachment));
    renameSync(`${file}.new`, file);
  }

  #adopt(file: string): void {
    if (!file.endsWith('.json')) {
      rmSync(file, { force: true });
      return;
    }
    const attachment = JSON.parse(readFileSync(file, 'utf8')) as AttachmentRecord;
    this.#attached.set(attachment.podUid, attachment);
    this.#pool.reserve(attachment.ip);
  }

  /** Runs a removal whose object may be gone already. */
  async #quietly(command: string, args: readonly string[]): Promise<void> {
    try {
      await this.#system.run(command, args);
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode === undefined) throw error;
    }
  }
}

/** A fixed, locally administered MAC for the host end of a link. */
function hostMac(ip: string): string {
  const parts = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '50', ...parts].join(':');
}
