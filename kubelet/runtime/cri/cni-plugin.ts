// The CNI plugin by which a runtime's sandboxes come into this node's pod network: a shell script of a few lines.
// The runtime makes a network namespace and calls the plugin to connect it; the pod has one already, made and connected by
// PodNetwork, so the plugin puts that in place of the runtime's. Invariant: links, addresses and routes are PodNetwork's alone,
// whatever runs the containers; the plugin's files hold nothing that is not the node's.
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CNI_VERSION = '0.4.0';
const NAME = 'pinnace';

/** A pod's namespace and its address in it. */
export interface PluggedPod {
  readonly podUid: string;
  readonly netnsPath: string;
  readonly ip: string;
}

/** Writes the plugin, and what it reads, below a folder. */
export class CniPlugin {
  /** What a runtime's configuration calls `bin_dir` and `conf_dir`. */
  readonly binDir: string;
  readonly confDir: string;
  readonly #pods: string;

  constructor(root: string) {
    this.binDir = join(root, 'bin');
    this.confDir = join(root, 'conf');
    this.#pods = join(root, 'pods');
  }

  /** Makes all of it. Repeatable; a runtime that watches the folder takes the configuration up at once. */
  install(): void {
    for (const folder of [this.binDir, this.confDir, this.#pods])
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    this.#write(join(this.binDir, NAME), script(this.#pods), 0o755);
    // Runtimes connect the loopback by a plugin of this name; in the pod's namespace it is up already.
    this.#write(join(this.binDir, 'loopback'), LOOPBACK, 0o755);
    const conf = { cniVersion: CNI_VERSION, name: NAME, plugins: [{ type: NAME }] };
    this.#write(join(this.confDir, `10-${NAME}.conflist`), JSON.stringify(conf), 0o644);
  }

  /** Says where a pod belongs; before its sandbox is made. */
  plug({ podUid, netnsPath, ip }: PluggedPod): void {
    this.#write(join(this.#pods, podUid), `${netnsPath} ${ip}\n`, 0o644);
  }

  unplug(podUid: string): void {
    rmSync(join(this.#pods, podUid), { force: true });
  }

  #write(path: string, text: string, mode: number): void {
    writeFileSync(`${path}.new`, text, { mode });
    chmodSync(`${path}.new`, mode);
    renameSync(`${path}.new`, path);
  }
}

const VERSIONS = JSON.stringify({
  cniVersion: CNI_VERSION,
  supportedVersions: ['0.3.0', '0.3.1', CNI_VERSION],
});

const LOOPBACK = `#!/bin/sh
# Written by the node agent. The loopback of a pod is up already.
case $CNI_COMMAND in
VERSION) echo '${VERSIONS}' ;;
ADD) echo '${JSON.stringify({ cniVersion: CNI_VERSION, interfaces: [{ name: 'lo' }], ips: [{ version: '4', address: '127.0.0.1/8', interface: 0 }] })}' ;;
esac
`;

/** Errors go the way that CNI has for them: a code of 100 or more and a sentence. */
const script = (pods: string) => `#!/bin/sh
# Written by the node agent. Puts a pod's network namespace in the place of the one that the runtime has made.
fail() {
  echo "{\\"cniVersion\\":\\"${CNI_VERSION}\\",\\"code\\":$1,\\"msg\\":\\"$2\\"}"
  exit 1
}
case $CNI_COMMAND in
VERSION) echo '${VERSIONS}'; exit 0 ;;
ADD) ;;
*) exit 0 ;;
esac
uid=\${CNI_ARGS##*K8S_POD_UID=}
uid=\${uid%%;*}
case $uid in
*/* | '' | .*) fail 7 "the runtime does not tell the uid of the pod" ;;
esac
read -r netns ip < '${pods}'/"$uid" || fail 100 "no pod $uid of this node is to be connected"
umount "$CNI_NETNS" && mount --bind "$netns" "$CNI_NETNS" || fail 101 "the namespace $netns cannot be put in place"
echo "{\\"cniVersion\\":\\"${CNI_VERSION}\\",\\"interfaces\\":[{\\"name\\":\\"$CNI_IFNAME\\",\\"sandbox\\":\\"$CNI_NETNS\\"}],\\"ips\\":[{\\"version\\":\\"4\\",\\"address\\":\\"$ip/32\\",\\"interface\\":0}]}"
`;
