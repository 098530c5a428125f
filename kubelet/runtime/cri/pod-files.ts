// Files that the agent makes for pods on a runtime that does not: /etc/hosts, where containers leave their last words, and which ends it saw.
// Invariant: everything lies below one folder and is found again by pod, name and attempt.
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTerminationLog } from '../termination-log.ts';

const HOSTS = 'hosts';

/** Which container. */
export interface ContainerKey {
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
}

/** The files below a folder. */
export class PodFiles {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** Writes the pod's hosts file in place, so that mounts of it see what is new; answers where it lies. */
  writeHosts(podUid: string, text: string): string {
    mkdirSync(this.#pod(podUid), { recursive: true });
    const path = join(this.#pod(podUid), HOSTS);
    writeFileSync(path, text, { mode: 0o644 });
    return path;
  }

  /** An empty file for last words that any user of the container may write; answers where it lies. */
  makeTerminationLog(key: ContainerKey): string {
    mkdirSync(this.#pod(key.podUid), { recursive: true });
    const path = this.#terminationLog(key);
    writeFileSync(path, '', { flag: 'a' });
    // The mode of a new file is cut by this process's mask.
    chmodSync(path, 0o666);
    return path;
  }

  /** '' when there is none. */
  terminationMessage(key: ContainerKey): string {
    return readTerminationLog(this.#terminationLog(key));
  }

  /**
   * Remembers that an agent has seen the container's end. Repeatable. Quiet where the disk takes no file, or the pod has gone: the end
   * itself must be heard of all the same, and at worst counts as unseen for the next agent.
   */
  noteEnd(key: ContainerKey): void {
    try {
      writeFileSync(this.#endSeen(key), '');
    } catch {
      return;
    }
  }

  /** Has an agent seen it end? */
  isEndNoted(key: ContainerKey): boolean {
    return existsSync(this.#endSeen(key));
  }

  forgetContainer(key: ContainerKey): void {
    for (const path of [this.#terminationLog(key), this.#endSeen(key)])
      rmSync(path, { force: true });
  }

  forgetPod(podUid: string): void {
    rmSync(this.#pod(podUid), { recursive: true, force: true });
  }

  /** Pods that have files. */
  pods(): readonly string[] {
    return readdirSync(this.#root);
  }

  #pod(podUid: string): string {
    return join(this.#root, podUid);
  }

  #endSeen({ podUid, name, attempt }: ContainerKey): string {
    return join(this.#pod(podUid), `${name}.${attempt}.seen`);
  }

  #terminationLog({ podUid, name, attempt }: ContainerKey): string {
    return join(this.#pod(podUid), `${name}.${attempt}.end`);
  }
}
