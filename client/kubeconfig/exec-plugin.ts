// Exec plugins: programs that a kubeconfig names to get a token or certificate, as clouds have them.
// Contract: client.authentication.k8s.io, "client-go credential plugins" in the Kubernetes documentation.
// Invariants: one run at a time, within a time limit, for however many requests wait; what it gave is used until it
// expires or a server refuses it.
import { isAbsolute, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { runCommand } from '../../system/run-command.ts';
import { CommandError } from '../../system/system.ts';
import type { Credential, CredentialSource } from '../transport/credentials.ts';
import { type Fields, KubeconfigError, optionalText, quote, requiredText } from './fields.ts';

/** A plugin has to answer within this; some ask a server far away. */
export const EXEC_PLUGIN_TIMEOUT_MS = 60_000;
/** How much a plugin may say. */
export const MAX_EXEC_PLUGIN_BYTES = 1024 * 1024;
/** A credential is renewed this long before it expires, so that no request is on its way with an old one. */
const RENEWED_BEFORE_MS = 10_000;
/** A plugin is not run again sooner than this after a server refused what it gave: it would give the same. */
export const MIN_RENEWAL_PAUSE_MS = 10_000;
/** How much of what a plugin complains of is shown. */
const MAX_SHOWN_CHARS = 500;

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** What a kubeconfig says of a plugin, and of the cluster that it is for. */
export interface ExecPlugin {
  /** The value of `exec`. */
  readonly fields: Fields;
  /** For messages: `user "u"`. */
  readonly of: string;
  /** Of the kubeconfig; a command with a slash starts here. */
  readonly directory: string;
  /** As `spec.cluster` of what the plugin is told, where it asks for that. */
  readonly cluster: object;
  readonly clock: Clock;
  /** EXEC_PLUGIN_TIMEOUT_MS unless given. */
  readonly timeoutMs?: number | undefined;
}

/** Checks what is said of the plugin, and answers where its credentials come from. It is not run before the first request. */
export function execPluginSource(plugin: ExecPlugin): CredentialSource {
  return new ExecPluginSource(plugin, commandOf(plugin));
}

interface Command {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly installHint: string | undefined;
}

interface Kept {
  readonly credential: Credential;
  /** On the wall clock; undefined where it lasts until it is refused. */
  readonly expiresAtMs: number | undefined;
  readonly gotAtMs: number;
}

class ExecPluginSource implements CredentialSource {
  readonly #plugin: ExecPlugin;
  readonly #command: Command;
  #kept: Kept | undefined;
  #running: Promise<Credential> | undefined;

  constructor(plugin: ExecPlugin, command: Command) {
    this.#plugin = plugin;
    this.#command = command;
  }

  current(): Promise<Credential> {
    const { clock } = this.#plugin;
    const expiresAtMs = this.#kept?.expiresAtMs ?? Number.POSITIVE_INFINITY;
    if (this.#kept && clock.now() < expiresAtMs - RENEWED_BEFORE_MS)
      return Promise.resolve(this.#kept.credential);
    this.#running ??= this.#renew().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  refused(credential: Credential): void {
    const kept = this.#kept;
    if (kept?.credential !== credential) return;
    const age = this.#plugin.clock.monotonic() - kept.gotAtMs;
    if (age >= MIN_RENEWAL_PAUSE_MS) this.#kept = undefined;
  }

  async #renew(): Promise<Credential> {
    const { clock, of } = this.#plugin;
    const gotAtMs = clock.monotonic();
    const said = await run(this.#plugin, this.#command);
    const name = `${of}: the exec plugin ${quote(this.#command.command)}`;
    const { credential, expiresAtMs } = readCredential(said, this.#command.apiVersion, name);
    if (expiresAtMs !== undefined && expiresAtMs <= clock.now())
      throw new KubeconfigError(
        `${name} gave a credential that expired at ${new Date(expiresAtMs).toISOString()}; sign in anew with it, and look at this host's clock`,
      );
    this.#kept = { credential, expiresAtMs, gotAtMs };
    return credential;
  }
}

function commandOf({ fields, of, directory, cluster }: ExecPlugin): Command {
  const what = `exec of ${of}`;
  const apiVersion = requiredText(fields, 'apiVersion', what);
  if (!VERSIONS.includes(apiVersion))
    throw new KubeconfigError(
      `${what} has the apiVersion ${quote(apiVersion)}; update the plugin to one of ${VERSIONS.join(', ')}`,
    );
  if (optionalText(fields, 'interactiveMode') === 'Always')
    throw new KubeconfigError(
      `${what} has the interactiveMode "Always", but a program has no terminal; sign in with it first, and set IfAvailable`,
    );
  const named = requiredText(fields, 'command', what);
  const command = named.includes('/') && !isAbsolute(named) ? join(directory, named) : named;
  const spec = { interactive: false, ...(fields['provideClusterInfo'] === true && { cluster }) };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  return {
    apiVersion,
    command,
    args: textsOf(fields['args'], `${what}: args`),
    environment: { ...environmentOf(fields['env'], what), KUBERNETES_EXEC_INFO: info },
    installHint: optionalText(fields, 'installHint'),
  };
}

function textsOf(value: unknown, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
    throw new KubeconfigError(`${what} is not a list of texts; quote numbers and booleans in it`);
  return value;
}

function environmentOf(value: unknown, what: string): Record<string, string> {
  const entries = (value ?? []) as readonly { name?: unknown; value?: unknown }[];
  const isEntry = (each: { name?: unknown; value?: unknown } | null) =>
    typeof each?.name === 'string' && typeof each.value === 'string';
  if (!Array.isArray(entries) || !entries.every(isEntry))
    throw new KubeconfigError(`${what}: env is not a list of {name, value} with texts`);
  return Object.fromEntries(entries.map((each) => [String(each.name), String(each.value)]));
}

async function run(plugin: ExecPlugin, command: Command): Promise<string> {
  const { timeoutMs = EXEC_PLUGIN_TIMEOUT_MS, of } = plugin;
  try {
    const { stdout } = await runCommand(command.command, command.args, {
      moreEnv: command.environment,
      timeoutMs,
      outputLimitBytes: MAX_EXEC_PLUGIN_BYTES,
    });
    return stdout;
  } catch (error) {
    const why = error instanceof CommandError ? failureOf(error, command) : String(error);
    const name = `${of}: the exec plugin ${quote(command.command)}`;
    throw new KubeconfigError(`${name} ${why}`, { cause: error });
  }
}

function failureOf(error: CommandError, { installHint, command, args }: Command): string {
  if (/ENOENT/.test(error.message)) {
    const hint = installHint === undefined ? '' : `: ${installHint.trim()}`;
    return `is not on this host; install it, or name its path${hint}`;
  }
  const byHand = `run ${quote([command, ...args].join(' '))} by hand to see what it needs`;
  const said = error.stderr.trim().slice(0, MAX_SHOWN_CHARS);
  if (error.exitCode === undefined) return `gave no answer: ${error.message}; ${byHand}`;
  return `ended with exit code ${error.exitCode}${said === '' ? '' : ` (${said})`}; ${byHand}`;
}

interface Said {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly status?: Fields | null;
}

function readCredential(
  text: string,
  apiVersion: string,
  name: string,
): { readonly credential: Credential; readonly expiresAtMs: number | undefined } {
  const said = parse(text, name);
  if (said.kind !== 'ExecCredential' || said.apiVersion !== apiVersion)
    throw new KubeconfigError(
      `${name} answered ${quote(String(said.kind))} of ${quote(String(said.apiVersion))}, not an ExecCredential of ${quote(apiVersion)}; make the kubeconfig's apiVersion and the plugin's the same`,
    );
  const status = said.status ?? {};
  const token = optionalText(status, 'token');
  const clientCert = optionalText(status, 'clientCertificateData');
  const clientKey = optionalText(status, 'clientKeyData');
  if ((clientCert === undefined) !== (clientKey === undefined))
    throw new KubeconfigError(
      `${name} gave only one of clientCertificateData and clientKeyData; a certificate needs its key`,
    );
  if (token === undefined && clientCert === undefined)
    throw new KubeconfigError(
      `${name} gave neither a token nor a certificate; sign in with it by hand first`,
    );
  const expires = optionalText(status, 'expirationTimestamp');
  const expiresAtMs = expires === undefined ? undefined : Date.parse(expires);
  if (Number.isNaN(expiresAtMs))
    throw new KubeconfigError(
      `${name} gave the expirationTimestamp ${quote(expires ?? '')}, which is no time`,
    );
  return { credential: { token, clientCert, clientKey }, expiresAtMs };
}

function parse(text: string, name: string): Said {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Said;
  } catch {
    // Told below, with what was said instead.
  }
  const shown = quote(text.trim().slice(0, MAX_SHOWN_CHARS));
  throw new KubeconfigError(
    `${name} answered ${shown} instead of an ExecCredential in JSON; is it told by its args to write JSON?`,
  );
}
