# Backs up Quire every night: run once in PowerShell as an administrator.
# The task runs under the local system account, as the service does.
$ErrorActionPreference = 'Stop'
$command = '/d /s /c "set "QUIRE_INSTANCE=C:\Quire\instance"&& "C:\Quire\.venv\Scripts\python.exe" "C:\Quire\manage.py" backup"'

$action = New-ScheduledTaskAction -Execute 'cmd.exe' -Argument $command -WorkingDirectory 'C:\Quire'
$trigger = New-ScheduledTaskTrigger -Daily -At '03:30'
$settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Hours 6)
Register-ScheduledTask -TaskName 'Quire backup' -Action $action -Trigger $trigger -Settings $settings -User 'SYSTEM' -RunLevel Highest -Force | Out-Null
Write-Host 'The task "Quire backup" runs every night at 03:30. Try it: Start-ScheduledTask "Quire backup"'
