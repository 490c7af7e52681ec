# The manual page from what `elmu -list-options` prints: group, option as it is written, argument, help; tabs between.
#   elmu -list-options | awk -v version=0.1.0 -f packaging/man.awk
function roff(text)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.']/, "\\\\\\&&", text)
    return text
}
BEGIN {
    FS = "\t"
    print ".TH ELMU 1 \"\" \"elmu " version "\" \"User Commands\""
    print ".SH NAME\nelmu \\- full\\-system AArch64 emulator for hypervisors and their guests"
    print ".SH SYNOPSIS\n.B elmu\n[\\fIoptions\\fR]\n.br\n.B elmu diff\n\"\\fIoptions of one run\\fR\" \"\\fIof another\\fR\" \\fIoptions of both\\fR"
    print ".SH DESCRIPTION\nelmu runs an AArch64 hypervisor and its guests, the whole machine, on any host: exactly, and every time"
    print "the same, instruction by instruction. The board is that of QEMU's \\fBvirt\\fR, and so are the options; those that"
    print "elmu has of its own are written with two dashes here. One dash or two are the same."
    print ".SH OPTIONS"
}
$1 != group { print ".SS " roff($1); group = $1 }
{
    print ".TP\n\\fB" roff($2) "\\fR" ($3 == "" ? "" : " \\fI" roff($3) "\\fR")
    print $4 == "" ? "accepted." : roff($4) "."
}
END {
    print ".SH EXIT STATUS\nThat of a guest that exits by semihosting; else as \\fB\\-help\\fR lists them."
    print ".SH EXAMPLES\nLinux at EL2, with KVM:\n.PP\n.nf"
    print "    elmu \\-M virt,virtualization=on \\-smp 4 \\-m 1G \\-nographic \\e"
    print "        \\-kernel vmlinuz \\-initrd initrd.cpio \\-append console=ttyAMA0\n.fi"
    print ".SH SEE ALSO\n.BR gdb (1),\n.BR qemu\\-system\\-aarch64 (1)"
}
