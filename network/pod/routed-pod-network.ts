// Connects pods by routed veth pairs: a /32 address in the pod, a host route to it, no bridge, no ARP for the gateway.
// Invariant: what is attached is written to a file per pod before the link exists, and again once all of it is there, so a crash
// leaves nothing unknown and nothing half made is taken for whole.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readRecord, writeRecord } from '../../system/record-file.ts';
import type { System } from '../../system/system.ts';
import { linkName, namespaceName, type NetworkLayout, POD_GATEWAY } from '../layout.ts';
import { AddressPool } from './addresses.ts';
import { type UserRange, usersOf } from './user-ranges.ts';
import { defaultFirst, type LinkFigures, otherEnd, parseLinks } from './link-figures.ts';

/** A pod's place in the network; the shape that the node agent's PodNetwork wants. */
export interface Attachment {
  readonly podUid: string;
  readonly netnsPath: string;
  readonly ip: string;
  /** Users of the namespace, where they are not the host's. */
  readonly users?: UserRange;
}

/** What the file of a pod holds. */
interface AttachmentRecord extends Attachment {
  /** Only until all of it is there. */
  readonly connecting?: true;
}

/** Where nsfs files of named namespaces are. */
const NAMESPACE_DIR = '/run/netns';
const ROUTES = ['/proc/net/route', '/proc/net/ipv6_route'];

/** Attaches and detaches pods of one node. Calls for one pod must not overlap. */
export class RoutedPodNetwork {
  readonly #system: System;
  readonly #layout: NetworkLayout;
  readonly #folder: string;
  readonly #pool: AddressPool;
  readonly #attached = new Map<string, AttachmentRecord>();
  /** Pods whose files say nothing that can be read. */
  readonly #damaged: string[] = [];

  constructor(options: { system: System; layout: NetworkLayout; stateDir: string }) {
    this.#system = options.system;
    this.#layout = options.layout;
    this.#folder = join(options.stateDir, 'pods');
    this.#pool = new AddressPool(options.layout.nodePodCidr);
    mkdirSync(this.#folder, { recursive: true });
    for (const file of readdirSync(this.#folder)) this.#adopt(join(this.#folder, file));
  }

  /** Finds attachments again whose files are damaged: the address is the one that the pod has. To be called before any other verb. */
  async recover(): Promise<void> {
    for (const podUid of this.#damaged.splice(0)) {
      const name = namespaceName(this.#layout, podUid);
      const shown = ['-n', name, '-oneline', '-4', 'address', 'show', 'dev', 'eth0'];
      const said = await this.#system.run('ip', shown).catch(() => ({ stdout: '' }));
      const ip = /inet ([\d.]+)\/32/.exec(said.stdout)?.[1];
      rmSync(this.#file(podUid), { force: true });
      if (ip === undefined) continue;
      const attachment = { podUid, netnsPath: `${NAMESPACE_DIR}/${name}`, ip };
      this.#keep(attachment);
      this.#record(attachment);
    }
  }

  /** Namespace, link and address of a pod, made now or made before. */
  async setUp(podUid: string, needs: { ownUsers?: boolean } = {}): Promise<Attachment> {
    const known = this.#attached.get(podUid);
    // The users follow from the address, so that a file which is damaged loses nothing of them.
    if (known && this.#stands(known))
      return needs.ownUsers ? { ...known, users: usersOf(known.ip) } : known;
    if (known) await this.tearDown(podUid);
    const ip = this.#pool.take();
    const attachment: Attachment = {
      podUid,
      netnsPath: `${NAMESPACE_DIR}/${namespaceName(this.#layout, podUid)}`,
      ip,
      ...(needs.ownUsers && { users: usersOf(ip) }),
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
    await this.#disconnect(attachment);
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

  /** What went over the links of pods, and over the host's other ones, the one that its default route goes by first. */
  figures(): { pods: ReadonlyMap<string, LinkFigures>; host: readonly LinkFigures[] } {
    const links = new Map(parseLinks(this.#system.read('/proc/net/dev') ?? ''));
    const pods = new Map<string, LinkFigures>();
    for (const [podUid, { ip }] of this.#attached) {
      const name = linkName(this.#layout, ip);
      const link = links.get(name);
      if (link && links.delete(name)) pods.set(podUid, otherEnd(link, 'eth0'));
    }
    links.delete('lo');
    const [v4, v6] = ROUTES.map((path) => this.#system.read(path) ?? '');
    return { pods, host: defaultFirst([...links.values()], { v4: v4 ?? '', v6: v6 ?? '' }) };
  }

  async #connect(attachment: Attachment): Promise<void> {
    try {
      await this.#make(attachment);
    } catch {
      // What an agent that died was still making may have come about after all.
      await this.#disconnect(attachment);
      await this.#make(attachment);
    }
    // Lets a connection to 127.0.0.1:NODEPORT leave through the pod's link.
    this.#system.write(settingOf(linkName(this.#layout, attachment.ip)), '1');
  }

  async #make({ users, netnsPath, ip }: Attachment): Promise<void> {
    if (users) await this.#system.makeUserNetwork(netnsPath, users);
    else this.#system.makeNetwork(netnsPath);
    await this.#system.makeRoutedLink(netnsPath, {
      name: linkName(this.#layout, ip),
      mac: hostMac(ip),
      address: ip,
      source: this.#layout.nodeIp,
      gateway: POD_GATEWAY,
    });
  }

  /** Quiet about what is not there. */
  async #disconnect({ netnsPath, ip }: Attachment): Promise<void> {
    await this.#system.deleteLink(linkName(this.#layout, ip));
    this.#system.removeNetwork(netnsPath);
  }

  #stands({ connecting, netnsPath, ip }: AttachmentRecord): boolean {
    const link = linkName(this.#layout, ip);
    return !connecting && this.#system.exists(netnsPath) && this.#system.exists(settingOf(link));
  }

  #file(podUid: string): string {
    return join(this.#folder, `${podUid}.json`);
  }

  #record(attachment: AttachmentRecord): void {
    this.#attached.set(attachment.podUid, attachment);
    writeRecord(this.#file(attachment.podUid), attachment);
  }

  #adopt(file: string): void {
    if (!file.endsWith('.json')) {
      rmSync(file, { force: true });
      return;
    }
    const podUid = basename(file, '.json');
    const attachment = readAttachment(file);
    if (attachment?.podUid === podUid) this.#keep(attachment);
    else this.#damaged.push(podUid);
  }

  #keep(attachment: AttachmentRecord): void {
    this.#attached.set(attachment.podUid, attachment);
    this.#pool.reserve(attachment.ip);
  }
}

/** Undefined when it is damaged: power may go while it is written. */
function readAttachment(file: string): AttachmentRecord | undefined {
  try {
    const { podUid, netnsPath, ip, connecting } = readRecord(file) as AttachmentRecord;
    if (!podUid || !netnsPath || !/^(\d+\.){3}\d+$/.test(ip)) return undefined;
    return { podUid, netnsPath, ip, ...(connecting && { connecting }) };
  } catch {
    return undefined;
  }
}

/** The kernel has it for each link of this namespace. */
const settingOf = (link: string): string => `/proc/sys/net/ipv4/conf/${link}/route_localnet`;

/** A fixed, locally administered MAC for the host end of a link. */
function hostMac(ip: string): string {
  const parts = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['02', '50', ...parts].join(':');
}
