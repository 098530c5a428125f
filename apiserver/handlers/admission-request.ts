// What admission is told of an exchange. Invariant: costs a write no more than one small object where nobody outside is asked.
import type { LooseObject } from '../../api/meta/object.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { AdmissionOperation, AdmissionRequest } from '../admission/admission.ts';
import type { Exchange } from '../exchange.ts';
import { isDryRun } from './write-options.ts';

/** What the exchange does not say by itself. */
export interface AdmissionSubject {
  readonly operation: AdmissionOperation;
  readonly object: LooseObject;
  readonly old?: LooseObject | undefined;
  /** That of the URL unless given. */
  readonly name?: string;
  /** Of deletes, which say it in their body too. */
  readonly dryRun?: boolean;
  /** Of deletes: their body. */
  readonly deleteOptions?: object;
}

/** The request for the chain. */
export function admissionOf(exchange: Exchange, subject: AdmissionSubject): AdmissionRequest {
  return new ExchangeAdmission(exchange, subject);
}

class ExchangeAdmission implements AdmissionRequest {
  readonly #exchange: Exchange;
  readonly #subject: AdmissionSubject;
  readonly operation: AdmissionOperation;
  readonly definition: ResourceDefinition;
  readonly subresource: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly user;
  readonly object: LooseObject;
  readonly old: LooseObject | undefined;
  readonly dryRun: boolean;
  readonly warnings: string[];

  constructor(exchange: Exchange, subject: AdmissionSubject) {
    const { info, definition, request, user, warnings } = exchange;
    this.#exchange = exchange;
    this.#subject = subject;
    this.operation = subject.operation;
    this.definition = definition;
    this.subresource = info.subresource;
    this.namespace = info.namespace;
    this.name = subject.name ?? info.name ?? '';
    this.user = user;
    this.object = subject.object;
    this.old = subject.old;
    this.dryRun = subject.dryRun ?? isDryRun(request.query);
    this.warnings = warnings;
  }

  get options(): object | undefined {
    switch (this.operation) {
      case 'create':
        return writeOptions('CreateOptions', this.#exchange.request.query);
      case 'update':
        return writeOptions('UpdateOptions', this.#exchange.request.query);
      case 'delete':
        return { ...this.#subject.deleteOptions, kind: 'DeleteOptions', apiVersion: META };
      case 'connect':
        return undefined;
    }
  }

  get signal(): AbortSignal {
    return this.#exchange.request.signal;
  }

  annotate(key: string, value: string): void {
    this.#exchange.annotations.set(key, value);
  }
}

const META = 'meta.k8s.io/v1';

/** A patch is an update or a create to admission, with the options that these have. */
function writeOptions(kind: string, query: URLSearchParams): object {
  const said = (name: string) => {
    const value = query.get(name);
    return value ? { [name]: value } : {};
  };
  return {
    kind,
    apiVersion: META,
    ...(isDryRun(query) ? { dryRun: ['All'] } : {}),
    ...said('fieldManager'),
    ...said('fieldValidation'),
  };
}
