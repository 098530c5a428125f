// Field numbers of what pods are made of, in core/v1. How to read a row: ../protobuf-fields.ts.
// Invariant: data only.
import type { MessageRows } from '../protobuf-fields.ts';

/** Pod specs, containers, probes, affinity and security. */
export const POD_ROWS: MessageRows = {
  Affinity: 'nodeAffinity podAffinity podAntiAffinity',
  AppArmorProfile: 'type localhostProfile?',
  Capabilities: 'add drop',
  ConfigMapEnvSource: '+LocalObjectReference optional?',
  ConfigMapKeySelector: '+LocalObjectReference key optional?',
  Container:
    'name image command args workingDir ports env resources volumeMounts livenessProbe ' +
    'readinessProbe lifecycle terminationMessagePath imagePullPolicy securityContext stdin ' +
    'stdinOnce tty envFrom terminationMessagePolicy volumeDevices startupProbe resizePolicy ' +
    'restartPolicy? restartPolicyRules',
  ContainerPort: 'name hostPort containerPort protocol hostIP',
  ContainerResizePolicy: 'resourceName restartPolicy',
  ContainerRestartRule: 'action exitCodes',
  ContainerRestartRuleOnExitCodes: 'operator values',
  EnvFromSource: 'prefix configMapRef secretRef',
  EnvVar: 'name value valueFrom',
  EnvVarSource: 'fieldRef resourceFieldRef configMapKeyRef secretKeyRef fileKeyRef',
  EphemeralContainer: '+EphemeralContainerCommon targetContainerName',
  EphemeralContainerCommon:
    'name? image command args workingDir ports env resources volumeMounts livenessProbe ' +
    'readinessProbe lifecycle terminationMessagePath imagePullPolicy securityContext stdin ' +
    'stdinOnce tty envFrom terminationMessagePolicy volumeDevices startupProbe resizePolicy ' +
    'restartPolicy? restartPolicyRules',
  ExecAction: 'command',
  FileKeySelector: 'volumeName path key optional?',
  GRPCAction: 'port service?',
  HTTPGetAction: 'path port host scheme httpHeaders',
  HTTPHeader: 'name value',
  HostAlias: 'ip hostnames',
  Lifecycle: 'postStart preStop stopSignal?',
  LifecycleHandler: 'exec httpGet tcpSocket sleep',
  LocalObjectReference: 'name',
  NodeAffinity:
    'requiredDuringSchedulingIgnoredDuringExecution ' +
    'preferredDuringSchedulingIgnoredDuringExecution',
  NodeSelector: 'nodeSelectorTerms',
  NodeSelectorRequirement: 'key operator values',
  NodeSelectorTerm: 'matchExpressions matchFields',
  ObjectFieldSelector: 'apiVersion fieldPath',
  PodAffinity:
    'requiredDuringSchedulingIgnoredDuringExecution ' +
    'preferredDuringSchedulingIgnoredDuringExecution',
  PodAffinityTerm:
    'labelSelector namespaces topologyKey namespaceSelector matchLabelKeys mismatchLabelKeys',
  PodAntiAffinity:
    'requiredDuringSchedulingIgnoredDuringExecution ' +
    'preferredDuringSchedulingIgnoredDuringExecution',
  PodDNSConfig: 'nameservers searches options',
  PodDNSConfigOption: 'name value?',
  PodOS: 'name',
  PodReadinessGate: 'conditionType',
  PodResourceClaim: 'name - resourceClaimName? resourceClaimTemplateName?',
  PodSchedulingGate: 'name',
  PodSchedulingGroup: 'podGroupName?',
  PodSecurityContext:
    'seLinuxOptions runAsUser? runAsNonRoot? supplementalGroups fsGroup? runAsGroup? sysctls ' +
    'windowsOptions fsGroupChangePolicy? seccompProfile appArmorProfile ' +
    'supplementalGroupsPolicy? seLinuxChangePolicy?',
  PodSpec:
    'volumes containers restartPolicy terminationGracePeriodSeconds? activeDeadlineSeconds? ' +
    'dnsPolicy nodeSelector serviceAccountName serviceAccount nodeName hostNetwork hostPID ' +
    'hostIPC securityContext imagePullSecrets hostname subdomain affinity schedulerName ' +
    'initContainers automountServiceAccountToken? tolerations hostAliases priorityClassName ' +
    'priority? dnsConfig shareProcessNamespace? readinessGates runtimeClassName? ' +
    'enableServiceLinks? preemptionPolicy? overhead topologySpreadConstraints ' +
    'ephemeralContainers setHostnameAsFQDN? os hostUsers? schedulingGates resourceClaims ' +
    'resources hostnameOverride? - schedulingGroup',
  PreferredSchedulingTerm: 'weight preference',
  Probe:
    '+ProbeHandler initialDelaySeconds timeoutSeconds periodSeconds successThreshold ' +
    'failureThreshold terminationGracePeriodSeconds?',
  ProbeHandler: 'exec httpGet tcpSocket grpc',
  ResourceClaim: 'name request',
  ResourceFieldSelector: 'containerName resource divisor',
  ResourceRequirements: 'limits requests claims',
  SELinuxOptions: 'user role type level',
  SeccompProfile: 'type localhostProfile?',
  SecretEnvSource: '+LocalObjectReference optional?',
  SecretKeySelector: '+LocalObjectReference key optional?',
  SecurityContext:
    'capabilities privileged? seLinuxOptions runAsUser? runAsNonRoot? readOnlyRootFilesystem? ' +
    'allowPrivilegeEscalation? runAsGroup? procMount? windowsOptions seccompProfile ' +
    'appArmorProfile',
  SleepAction: 'seconds',
  Sysctl: 'name value',
  TCPSocketAction: 'port host',
  Toleration: 'key operator value effect tolerationSeconds?',
  TopologySpreadConstraint:
    'maxSkew topologyKey whenUnsatisfiable labelSelector minDomains? nodeAffinityPolicy? ' +
    'nodeTaintsPolicy? matchLabelKeys',
  TypedLocalObjectReference: 'apiGroup? kind name',
  TypedObjectReference: 'apiGroup? kind name namespace?',
  VolumeResourceRequirements: 'limits requests',
  WeightedPodAffinityTerm: 'weight podAffinityTerm',
  WindowsSecurityContextOptions:
    'gmsaCredentialSpecName? gmsaCredentialSpec? runAsUserName? hostProcess?',
};
