#!/bin/sh
# vsftpd.sh DIR PORT [OPTION=VALUE...]: becomes a vsftpd on 127.0.0.1:PORT that wants TLS session reuse and keeps files in
# DIR/root/in (it refuses a root that may be written). The user is `anonymous` with the password in DIR/password, because
# vsftpd's own users would need a file in /etc/pam.d.
# With LOCAL=YES the user is `daemon` with any password, who keeps files in DIR/root/in and sees it as the top: then it is
# PAM's `su` that lets root's own process sign in anybody.
# OPTIONs are vsftpd's, besides TLS=1.2 or TLS=1.3: the only version it speaks. DIR/ca.crt and so on are by ca.sh.
set -eu
PATH=$PATH:/usr/sbin
dir=$1 port=$2
shift 2
mkdir -p "$dir/root/in" "$dir/empty"
chown daemon "$dir/root/in"
cat >"$dir/vsftpd.conf" <<C
listen=YES
listen_address=127.0.0.1
listen_port=$port
background=NO
anonymous_enable=YES
local_enable=NO
ftp_username=daemon
anon_root=$dir/root
secure_email_list_enable=YES
email_password_file=$dir/password
write_enable=YES
anon_upload_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
secure_chroot_dir=$dir/empty
seccomp_sandbox=NO
port_enable=NO
xferlog_enable=YES
xferlog_std_format=NO
vsftpd_log_file=$dir/log
dual_log_enable=NO
ssl_enable=YES
allow_anon_ssl=YES
rsa_cert_file=$dir/server.crt
rsa_private_key_file=$dir/server.key
ssl_ciphers=HIGH
require_ssl_reuse=YES
strict_ssl_read_eof=YES
C
for option in "$@"; do
    case $option in
        TLS=*) # vsftpd has no option for this; the library it uses has.
            version=${option#TLS=}
            printf '%s\n' "openssl_conf = conf" "[conf]" "ssl_conf = ssl" "[ssl]" "system_default = tls" "[tls]" \
                "MinProtocol = TLSv$version" "MaxProtocol = TLSv$version" >"$dir/openssl.cnf"
            export OPENSSL_CONF="$dir/openssl.cnf" ;;
        LOCAL=YES)
            printf '%s\n' anonymous_enable=NO local_enable=YES pam_service_name=su check_shell=NO chroot_local_user=YES \
                allow_writeable_chroot=YES "local_root=$dir/root/in" local_umask=022 >>"$dir/vsftpd.conf" ;;
        *) echo "$option" >>"$dir/vsftpd.conf" ;;
    esac
done
exec vsftpd "$dir/vsftpd.conf"
