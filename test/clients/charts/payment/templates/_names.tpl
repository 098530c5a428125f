{{- define "payment.labels" -}}
app.kubernetes.io/name: payment
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "payment.selector" -}}
app.kubernetes.io/name: payment
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
