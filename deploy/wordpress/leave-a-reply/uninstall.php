<?php
if (!defined('WP_UNINSTALL_PLUGIN')) exit;
delete_option('leave_a_reply');
delete_option('leave_a_reply_unerased');
