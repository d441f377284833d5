# Prepares IIS once for Quire: run in PowerShell as an administrator.
# Requires IIS, URL Rewrite 2 and Application Request Routing 3 (docs/deploy-windows.md).
$ErrorActionPreference = 'Stop'
Import-Module WebAdministration

$name = 'Quire'
$hostName = 'blog.example.org'
$folder = Join-Path $env:SystemDrive 'inetpub\quire'
$server = 'MACHINE/WEBROOT/APPHOST'
$proxy = 'system.webServer/proxy'
$variables = 'system.webServer/rewrite/allowedServerVariables'

# ARR forwards requests with the requested host name and the client's address without a port
Set-WebConfigurationProperty -PSPath $server -Filter $proxy -Name enabled -Value $true
Set-WebConfigurationProperty -PSPath $server -Filter $proxy -Name preserveHostHeader -Value $true
Set-WebConfigurationProperty -PSPath $server -Filter $proxy -Name includePortInXForwardedFor -Value $false
Set-WebConfigurationProperty -PSPath $server -Filter $proxy -Name reverseRewriteHostInResponseHeaders -Value $false
Set-WebConfigurationProperty -PSPath $server -Filter $proxy -Name timeout -Value '00:01:00'

# web.config is allowed to set these two
foreach ($variable in 'HTTP_X_FORWARDED_FOR', 'HTTP_X_FORWARDED_PROTO') {
    if (-not (Get-WebConfigurationProperty -PSPath $server -Filter "$variables/add[@name='$variable']" -Name name)) {
        Add-WebConfigurationProperty -PSPath $server -Filter $variables -Name '.' -Value @{ name = $variable }
    }
}

New-Item -ItemType Directory -Force -Path $folder | Out-Null
Copy-Item -Force (Join-Path $PSScriptRoot 'web.config') $folder
if (-not (Get-Website -Name $name)) {
    New-Website -Name $name -HostHeader $hostName -PhysicalPath $folder -Port 80 | Out-Null
}
Write-Host "The site $name passes requests for $hostName to http://127.0.0.1:8000."
