{{- define "pantry.labels" -}}
app.kubernetes.io/name: pantry
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
{{- define "pantry.selector" -}}
app.kubernetes.io/name: pantry
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
{{- define "pantry.host" -}}
{{ .Release.Name }}.{{ .Release.Namespace }}.svc
{{- end }}
