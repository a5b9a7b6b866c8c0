pkglibexec_PROGRAMS += conclave-mixer
