<?php
/** The comments template of classic themes. */
if (!defined('ABSPATH')) exit;
echo LeaveAReply\element();
