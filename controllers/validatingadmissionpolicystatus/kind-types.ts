// The types of kinds for expressions: of built-in kinds by their schemas, of custom ones by their definitions.
// Invariant: definitions are read when they are needed and not kept; a kind that is not there has no type.
import {
  type CheckedKind,
  type NamedResource,
  typeOfBuiltIn,
  typeOfCustom,
} from '../../api/admissionregistration/type-warnings.ts';
import type { CelType } from '../../api/cel/cel-type.ts';
import type { ParamKind } from '../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import { Scheme } from '../../api/scheme.ts';
import { isNotFound } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';

/** Looks types up. */
export class KindTypes {
  readonly #client: Client;
  readonly #builtIn = new Scheme();

  constructor(client: Client) {
    this.#client = client;
  }

  /** The kind of a resource; undefined where there is none. */
  async ofResource(named: NamedResource, signal: AbortSignal): Promise<CheckedKind | undefined> {
    const { group, version, resource } = named;
    const builtIn = this.#builtIn.byResource(group, version, resource);
    if (builtIn) {
      const name = nameOf(group, version, builtIn.ref.kind);
      return { name, type: typeOfBuiltIn(builtIn.schemaName) };
    }
    const { spec } = (await this.#definition(`${resource}.${group}`, signal)) ?? {};
    const served = spec?.versions.find((each) => each.name === version && each.served);
    if (spec === undefined || served === undefined) return undefined;
    const name = nameOf(group, version, spec.names.kind);
    return { name, type: typeOfCustom(served.schema?.openAPIV3Schema, spec.names.kind) };
  }

  /** The type of a policy's parameters; undefined where they are of no kind that is known. */
  async ofParam(
    { apiVersion = '', kind = '' }: ParamKind,
    signal: AbortSignal,
  ): Promise<CelType | undefined> {
    const [version = '', group = ''] = apiVersion.split('/').reverse();
    const builtIn = this.#builtIn.byKind(group, version, kind);
    if (builtIn) return typeOfBuiltIn(builtIn.schemaName);
    const resource = await this.#resourceOf({ group, version }, kind, signal);
    if (resource === undefined) return undefined;
    return (await this.ofResource({ group, version, resource }, signal))?.type;
  }

  async #definition(name: string, signal: AbortSignal) {
    return found(this.#client.resource(CustomResourceDefinitions).get({ name }, { signal }));
  }

  async #resourceOf(
    { group, version }: { readonly group: string; readonly version: string },
    kind: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const path = `/apis/${group}/${version}`;
    const reply = await found(this.#client.transport.request({ method: 'GET', path, signal }));
    const { resources = [] } = (reply?.object() ?? {}) as {
      resources?: readonly { readonly name: string; readonly kind: string }[];
    };
    return resources.find((one) => one.kind === kind && !one.name.includes('/'))?.name;
  }
}

/** As upstream writes kinds: `apps/v1, Kind=Deployment`, `/v1, Kind=Pod`. */
function nameOf(group: string, version: string, kind: string): string {
  return `${group}/${version}, Kind=${kind}`;
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
