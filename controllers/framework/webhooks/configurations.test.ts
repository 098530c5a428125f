// What the API server is told of webhooks: objects that it takes, made from the webhooks alone.
import { describe, expect, it } from 'vitest';
import { Namespaces, Pods } from '../../../api/kinds.ts';
import { allow } from './admission.ts';
import { webhookConfigurations } from './configurations.ts';
import { converting } from './conversion.ts';
import { mutating, validating } from './webhook.ts';

const admit = () => allow();
const Backups = {
  group: 'example.com',
  version: 'v1',
  kind: 'Backup',
  plural: 'backups',
  namespaced: true,
};
const url = 'https://10.0.0.1:9443';

describe('the configurations of webhooks', () => {
  it('say all that the webhooks say, and the defaults of the rest', () => {
    const webhooks = [
      validating(Namespaces, { operations: ['DELETE'], admit }),
      validating(Backups, {
        name: 'quota.example.com',
        subresource: 'status',
        operations: ['UPDATE'],
        failurePolicy: 'Ignore',
        matchPolicy: 'Exact',
        sideEffects: 'NoneOnDryRun',
        timeoutSeconds: 3,
        namespaceSelector: { matchLabels: { a: 'b' } },
        objectSelector: { matchLabels: { c: 'd' } },
        matchConditions: [{ name: 'e', expression: 'true' }],
        admit,
      }),
      mutating(Pods, { admit, reinvocationPolicy: 'IfNeeded' }),
      converting(Backups, { 'v1→v2': (object) => object }),
    ];
    const service = { namespace: 'shop', name: 'hooks', port: 8443 };
    const options = { name: 'shop', service, caBundle: 'CA', labels: { app: 'shop' } };
    const objects = webhookConfigurations(webhooks, options).map(({ object }) => object);
    const at = (path: string) => ({ service: { ...service, path }, caBundle: 'Q0E=' });
    const usual = {
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      timeoutSeconds: 10,
    };
    const rule = (plural: string, [apiGroups, scope, operations]: [string, string, string[]]) => ({
      rules: [
        { apiGroups: [apiGroups], apiVersions: ['v1'], resources: [plural], operations, scope },
      ],
    });
    const metadata = { name: 'shop', labels: { app: 'shop' } };
    expect(objects).toEqual([
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata,
        webhooks: [
          {
            name: 'mutate.pods.core',
            clientConfig: at('/mutate.pods.core'),
            ...usual,
            ...rule('pods', ['', 'Namespaced', ['CREATE', 'UPDATE']]),
            reinvocationPolicy: 'IfNeeded',
          },
        ],
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata,
        webhooks: [
          {
            name: 'validate.namespaces.core',
            clientConfig: at('/validate.namespaces.core'),
            ...usual,
            ...rule('namespaces', ['', 'Cluster', ['DELETE']]),
          },
          {
            name: 'quota.example.com',
            clientConfig: at('/quota.example.com'),
            admissionReviewVersions: ['v1'],
            sideEffects: 'NoneOnDryRun',
            failurePolicy: 'Ignore',
            matchPolicy: 'Exact',
            timeoutSeconds: 3,
            namespaceSelector: { matchLabels: { a: 'b' } },
            objectSelector: { matchLabels: { c: 'd' } },
            matchConditions: [{ name: 'e', expression: 'true' }],
            ...rule('backups/status', ['example.com', 'Namespaced', ['UPDATE']]),
          },
        ],
      },
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'backups.example.com', labels: { app: 'shop' } },
        spec: {
          conversion: {
            strategy: 'Webhook',
            webhook: {
              conversionReviewVersions: ['v1'],
              clientConfig: at('/convert.backups.example.com'),
            },
          },
        },
      },
    ]);
  });

  it('name a URL where there is no Service, and no authority where somebody else puts it in', () => {
    const [found] = webhookConfigurations([validating(Pods, { admit })], { name: 'a', url });
    expect(found?.object).toMatchObject({
      webhooks: [{ clientConfig: { url: `${url}/validate.pods.core` } }],
    });
    expect(JSON.stringify(found)).not.toContain('caBundle');
  });

  it('are not made for an address that is none', () => {
    const webhooks = [validating(Pods, { admit })];
    for (const wrong of ['http://a:1', 'https://a/b', 'a:9443', 'https://u@a', 'https://a?b', ''])
      expect(() => webhookConfigurations(webhooks, { name: 'a', url: wrong })).toThrow(
        'is no https://HOST:PORT: give that, or a service',
      );
  });
});
