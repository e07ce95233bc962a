-- C2.1.3.i: what a unit or a zone is rewarded for is its evaluation.
alter table dudao.awards
    drop constraint awards_basis_subject_type_check,
    add constraint awards_basis_subject_type_check check (basis_subject_type in (
        'inspector_assessments', 'supervision_targets', 'evaluations'));
